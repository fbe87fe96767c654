"""Tensors of one number."""

from typing import Any

from distgrad.backend.dtypes import DEFAULT_FLOAT, data_type
from distgrad.creation.data import as_tensor
from distgrad.tensor import Tensor
from distgrad.tensor.device import made_on
from distgrad.tensor.values import as_array, filled, forgotten, lengths

__all__ = [
    "empty",
    "empty_like",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def full(
    size: int | tuple[int, ...],
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a Tensor of one repeated value.

    Args:
        size: The shape, or one length.
        fill_value: A number, or a Tensor of one element.
        dtype: The data type. Default: int64, bool or float32, as ``fill_value`` is.
        device: Where it lies. Default: ``"cpu"``.
        requires_grad: As in `Tensor`.

    Raises:
        RuntimeError: If a length is negative, or if the value does not fit into the data type.

    Example:
        >>> full((2, 2), 1.5)
        tensor([[1.5000, 1.5000],
                [1.5000, 1.5000]])
    """
    wanted = as_array(fill_value).dtype if dtype is None else data_type(dtype)
    array = made_on(device, filled, lengths((size,)), fill_value, wanted)
    return Tensor(array, requires_grad)


def zeros(
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a Tensor of zeros; sizes one by one or as a tuple; float32 by default.

    Example:
        >>> zeros(2, 3).shape
        (2, 3)
    """
    return full(
        lengths(sizes, size), 0, dtype=_float(dtype), device=device, requires_grad=requires_grad
    )


def ones(
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a Tensor of ones; sizes one by one or as a tuple; float32 by default.

    Example:
        >>> import distgrad as dg
        >>> ones(3, dtype=dg.int64)
        tensor([1, 1, 1])
    """
    return full(
        lengths(sizes, size), 1, dtype=_float(dtype), device=device, requires_grad=requires_grad
    )


def empty(
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a Tensor to be written; sizes one by one or as a tuple; float32 by default.

    Until then its elements are nan, the largest integer, or True: never what the memory held
    before, so that no result depends on that, and one that was computed from them shows it.

    Example:
        >>> empty(2)
        tensor([nan, nan])
    """
    array = made_on(device, forgotten, lengths(sizes, size), data_type(_float(dtype)))
    return Tensor(array, requires_grad)


def _float(dtype: Any) -> Any:
    return DEFAULT_FLOAT if dtype is None else dtype


def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a Tensor of one repeated value with the shape and data type of ``input``.

    Raises:
        RuntimeError: If the value does not fit into the data type.

    Example:
        >>> full_like(ones(2), 3)
        tensor([3., 3.])
    """
    model = as_tensor(input)
    return model.new_full(
        model.shape, fill_value, dtype=dtype, device=device, requires_grad=requires_grad
    )


def zeros_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor of zeros with the shape and data type of ``input``.

    Example:
        >>> zeros_like(ones(2))
        tensor([0., 0.])
    """
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor of ones with the shape and data type of ``input``.

    Example:
        >>> ones_like(zeros(2))
        tensor([1., 1.])
    """
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def empty_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor to be written, with the shape and data type of ``input``; see `empty`.

    Example:
        >>> empty_like(zeros(2))
        tensor([nan, nan])
    """
    model = as_tensor(input)
    return model.new_empty(model.shape, dtype=dtype, device=device, requires_grad=requires_grad)
