"""Tensors of what is there: numbers, arrays, the memory of other libraries."""

from typing import Any

import numpy as np

from distgrad.backend import Array, array_namespace, device_name
from distgrad.backend.devices import provider
from distgrad.backend.dtypes import data_type
from distgrad.backend.listening import kept
from distgrad.tensor import Tensor
from distgrad.tensor.device import placed
from distgrad.tensor.values import as_array

__all__ = ["as_tensor", "asarray", "from_dlpack", "from_numpy", "tensor"]


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor of a copy of ``data``.

    Args:
        data: A number, nested sequences of numbers, an array or a Tensor.
        dtype: The data type; by default that of an array, float32 for Python floats, int64 for
            integers, bool for truth values.
        device: Where it is to lie. Default: where the data lies; numbers go to the CPU.
        requires_grad: As in `Tensor`.

    Raises:
        TypeError: If ``data`` does not hold numbers.
        ValueError: If sequences are of different lengths.
        RuntimeError: If a number does not fit into the data type.

    Example:
        >>> tensor([1.0, 2.5])
        tensor([1.0000, 2.5000])
    """
    return Tensor(placed(kept(as_array(data, dtype)), device), requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Return ``data`` as a Tensor, sharing its memory where that is possible.

    A Tensor stays in its graph: it is returned itself, or as `Tensor.to` returns it.
    """
    if isinstance(data, Tensor):
        return data if dtype is None and device is None else data.to(device, dtype)
    return Tensor(placed(as_array(data, dtype), device))


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``obj`` as a Tensor of its own or of shared memory.

    Args:
        obj: A number, nested sequences of numbers, an array, a Tensor, or an object that exports
            its memory through DLPack.
        dtype: The data type; as in `tensor` by default.
        device: Where it is to lie. Default: where the data lies; numbers go to the CPU.
        copy: Whether the memory is copied. Default: only where it must be.
        requires_grad: Without it the result is outside every graph.

    Raises:
        ValueError: If ``copy`` is False and the memory cannot be shared.

    Example:
        >>> array = np.ones(2)
        >>> asarray(array).data is array
        True
    """
    given = obj.data if isinstance(obj, Tensor) else obj
    if not hasattr(given, "__array__") and hasattr(given, "__dlpack__"):
        given = from_dlpack(given).data
    array = placed(as_array(given, dtype), device)
    shared = array is given or (
        hasattr(given, "__array__")
        and device_name(array) == device_name(given)
        and array_namespace(array).may_share_memory(array, given)
    )
    if copy is False and not shared:
        raise ValueError(
            f"asarray() cannot share the memory of {type(obj).__name__} as {array.dtype}; leave "
            "copy out"
        )
    result = Tensor(array.copy() if copy and shared else array, requires_grad)
    if isinstance(obj, Tensor) and shared and not copy:
        result.version = obj.version
    return result


def from_numpy(array: Array) -> Tensor:
    """Wrap an array; both share the memory, and its flags: read-only memory stays read-only.

    A change that is made to the array directly is announced by `Tensor.bump_version`.

    Raises:
        TypeError: If it is no array, or not one of numbers in the machine's byte order.

    Example:
        >>> array = np.zeros(2)
        >>> from_numpy(array).fill_(1.5).numpy() is array
        True
    """
    if not isinstance(array, array_namespace(array).ndarray):
        raise TypeError(
            f"from_numpy() needs an array, got {type(array).__name__}; tensor() takes other data"
        )
    if not array.dtype.isnative:
        raise TypeError(
            f"from_numpy() shares memory, so it needs the machine's byte order, not {array.dtype}; "
            "tensor() copies and converts"
        )
    data_type(array.dtype)
    return Tensor(array)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """Share the memory of a tensor of another library, through the DLPack protocol.

    Args:
        ext_tensor: An object with ``__dlpack__`` and ``__dlpack_device__``, in the memory of the
            machine or of a GPU. Read-only memory stays read-only.
        device: Where it is to lie. Default: where the data lies.
        copy: Whether the memory is copied instead.

    Raises:
        TypeError: If it is no such object, or does not hold numbers.
        BufferError: If the other library does not export it, for example because it requires a
            gradient.

    Example:
        >>> array = np.arange(3.0)
        >>> np.shares_memory(from_dlpack(array).data, array)
        True
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(
            f"from_dlpack() needs an object with __dlpack__, got {type(ext_tensor).__name__}; "
            "tensor() takes other data"
        )
    own = np if ext_tensor.__dlpack_device__()[0] in _DLPACK_HOST else provider().xp
    array = placed(own.from_dlpack(ext_tensor), device)
    data_type(array.dtype)
    return Tensor(array.copy() if copy else array)


_DLPACK_HOST = (1, 3)
"""Memory of the machine, and such that is pinned for GPUs."""
