"""Functions that make Tensors, with PyTorch's names and default data types."""

from collections.abc import Callable
from typing import Any

import numpy as np

from distgrad.autograd import next_generator
from distgrad.backend import Array
from distgrad.backend.dtypes import DEFAULT_FLOAT
from distgrad.tensor import Tensor
from distgrad.tensor.operands import unpacked

__all__ = [
    "arange",
    "as_tensor",
    "from_numpy",
    "full",
    "linspace",
    "ones",
    "ones_like",
    "rand",
    "randn",
    "tensor",
    "zeros",
    "zeros_like",
]


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Make a Tensor of a copy of ``data``.

    Args:
        data: A number, nested sequences of numbers, an array or a Tensor.
        dtype: The data type; by default that of an array, float32 for Python floats, int64 for
            integers, bool for truth values.
        requires_grad: As in `Tensor`.

    Raises:
        TypeError: If ``data`` does not hold numbers.

    Example:
        >>> tensor([1.0, 2.5])
        tensor([1. , 2.5])
    """
    return Tensor(_as_array(data, dtype).copy(), requires_grad)


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """Return ``data`` as a Tensor, sharing its memory where that is possible."""
    if isinstance(data, Tensor) and (dtype is None or data.dtype == dtype):
        return data
    return Tensor(_as_array(data, dtype))


def from_numpy(array: Array) -> Tensor:
    """Wrap an array; both share the memory."""
    if not hasattr(array, "dtype"):
        raise TypeError(f"from_numpy() needs an array, got {type(array).__name__}")
    return Tensor(array)


def _as_array(data: Any, dtype: Any) -> Array:
    if isinstance(data, Tensor):
        data = data.data
    if hasattr(data, "dtype"):
        return data.astype(dtype or data.dtype, copy=False)
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"a tensor holds numbers or truth values, got {type(data).__name__} {data!r:.60}"
        )
    if dtype is None and array.dtype == np.float64:
        dtype = DEFAULT_FLOAT
    return array.astype(dtype or array.dtype, copy=False)


def full(
    size: int | tuple[int, ...], fill_value: Any, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor of one repeated value."""
    dtype = dtype or _as_array(fill_value, None).dtype
    return Tensor(np.full(size, fill_value, dtype), requires_grad)


def zeros(*size: Any, dtype: Any = DEFAULT_FLOAT, requires_grad: bool = False) -> Tensor:
    """Make a Tensor of zeros; sizes one by one or as a tuple; float32 by default.

    Example:
        >>> zeros(2, 3).shape
        (2, 3)
    """
    return Tensor(np.zeros(unpacked(size), dtype), requires_grad)


def ones(*size: Any, dtype: Any = DEFAULT_FLOAT, requires_grad: bool = False) -> Tensor:
    """Make a Tensor of ones; sizes one by one or as a tuple; float32 by default."""
    return Tensor(np.ones(unpacked(size), dtype), requires_grad)


def zeros_like(input: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Make a Tensor of zeros with the shape and data type of ``input``."""
    return Tensor(np.zeros(input.shape, dtype or input.dtype), requires_grad)


def ones_like(input: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Make a Tensor of ones with the shape and data type of ``input``."""
    return Tensor(np.ones(input.shape, dtype or input.dtype), requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a Tensor of equally spaced values, ``end`` not included.

    int64 where all arguments are integers, else float32.

    Example:
        >>> arange(4.0)
        tensor([0., 1., 2., 3.])
    """
    if end is None:
        start, end = 0, start
    if dtype is None:
        floating = any(isinstance(value, float | np.floating) for value in (start, end, step))
        dtype = DEFAULT_FLOAT if floating else np.int64
    return Tensor(np.arange(start, end, step).astype(dtype, copy=False), requires_grad)


def linspace(
    start: float, end: float, steps: int, dtype: Any = DEFAULT_FLOAT, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor of ``steps`` equally spaced values from ``start`` to ``end``, both included."""
    return Tensor(np.linspace(start, end, steps).astype(dtype, copy=False), requires_grad)


def rand(*size: Any, dtype: Any = DEFAULT_FLOAT, requires_grad: bool = False) -> Tensor:
    """Draw uniformly from [0, 1), as a call of the current random scope."""
    # As many bits as the data type holds: rounding could give 1.
    levels = 2.0 ** (np.finfo(dtype).nmant + 1)
    return _drawn(
        lambda rng, shape: np.floor(rng.random(shape) * levels) / levels, size, dtype, requires_grad
    )


def randn(*size: Any, dtype: Any = DEFAULT_FLOAT, requires_grad: bool = False) -> Tensor:
    """Draw from the standard normal distribution, as a call of the current random scope."""
    return _drawn(lambda rng, shape: rng.standard_normal(shape), size, dtype, requires_grad)


def _drawn(
    draw: Callable[[np.random.Generator, tuple[int, ...]], Any],
    size: tuple[Any, ...],
    dtype: Any,
    requires_grad: bool,
) -> Tensor:
    values = draw(next_generator(), unpacked(size))
    return Tensor(np.asarray(values).astype(dtype, copy=False), requires_grad)
