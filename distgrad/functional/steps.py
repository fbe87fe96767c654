"""Bounds and roundings; shapes broadcast."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.functional.arguments import tensor_first
from distgrad.tensor import Tensor

__all__ = [
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "copysign",
    "fix",
    "floor",
    "fmax",
    "fmin",
    "frac",
    "heaviside",
    "maximum",
    "minimum",
    "nan_to_num",
    "nextafter",
    "relu",
    "round",
    "sgn",
    "sign",
    "trunc",
]


def maximum(input: Any, other: Any) -> Tensor:
    """Return the larger one of each two elements, nan if one of them is.

    Equal ones share the gradient evenly.

    Raises:
        TypeError: If one of the two is a number: `clamp` takes it.

    Example:
        >>> maximum(as_tensor([1.0, 5.0]), as_tensor(2.0))
        tensor([2., 5.])
    """
    return tensor_first("maximum", input).maximum(other)


def minimum(input: Any, other: Any) -> Tensor:
    """Return the smaller one of each two elements, nan if one of them is.

    Equal ones share the gradient evenly.

    Raises:
        TypeError: If one of the two is a number: `clamp` takes it.

    Example:
        >>> minimum(as_tensor([1.0, 5.0]), as_tensor(2.0))
        tensor([1., 2.])
    """
    return tensor_first("minimum", input).minimum(other)


def fmax(input: Any, other: Any) -> Tensor:
    """Return the larger one of each two elements, the number where the other one is nan.

    Of equal ones the first gets the gradient.

    Raises:
        TypeError: If one of the two is a number: `clamp` takes it.

    Example:
        >>> fmax(as_tensor([1.0, float("nan")]), as_tensor(2.0))
        tensor([2., 2.])
    """
    return tensor_first("fmax", input).fmax(other)


def fmin(input: Any, other: Any) -> Tensor:
    """Return the smaller one of each two elements, the number where the other one is nan.

    Of equal ones the first gets the gradient.

    Raises:
        TypeError: If one of the two is a number: `clamp` takes it.

    Example:
        >>> fmin(as_tensor([1.0, float("nan")]), as_tensor(2.0))
        tensor([1., 2.])
    """
    return tensor_first("fmin", input).fmin(other)


def clamp(input: Any, min: Any = None, max: Any = None) -> Tensor:
    """Return the elements with those outside ``min`` and ``max`` moved to these bounds.

    An element that meets a bound exactly lets its gradient through; where ``min`` is above ``max``
    the result is ``max``.

    Args:
        input: The values.
        min: The lower bound: a number, or values that broadcast; None for none.
        max: The upper bound, the same.

    Raises:
        ValueError: If both bounds are None.

    Example:
        >>> clamp([-3.0, 0.5, 3.0], min=-1, max=1)
        tensor([-1.0000,  0.5000,  1.0000])
    """
    return as_tensor(input).clamp(min, max)


clip = clamp


def clamp_min(input: Any, min: Any) -> Tensor:
    """Return the elements with those below ``min``, a number or values, moved there.

    Example:
        >>> clamp_min(as_tensor([-3.0, 0.5]), 0)
        tensor([0.0000, 0.5000])
    """
    return tensor_first("clamp_min", input).clamp_min(min)


def clamp_max(input: Any, max: Any) -> Tensor:
    """Return the elements with those above ``max``, a number or values, moved there.

    Example:
        >>> clamp_max(as_tensor([-3.0, 0.5]), 0)
        tensor([-3.,  0.])
    """
    return tensor_first("clamp_max", input).clamp_max(max)


def relu(input: Any) -> Tensor:
    """Return the elements, with 0 in place of negative ones; the gradient at 0 is 0.

    Example:
        >>> relu(as_tensor([-3.0, 0.5]))
        tensor([0.0000, 0.5000])
    """
    return as_tensor(input).relu()


def sign(input: Any) -> Tensor:
    """Return -1, 0 or 1 for each element; 0 for nan.

    Example:
        >>> sign(as_tensor([-3.0, 0.0, 0.5]))
        tensor([-1.,  0.,  1.])
    """
    return as_tensor(input).sign()


sgn = sign


def floor(input: Any) -> Tensor:
    """Return the elements rounded down; the gradient is 0.

    Example:
        >>> floor(as_tensor([-1.5, 1.5]))
        tensor([-2.,  1.])
    """
    return as_tensor(input).floor()


def ceil(input: Any) -> Tensor:
    """Return the elements rounded up; the gradient is 0.

    Example:
        >>> ceil(as_tensor([-1.5, 1.5]))
        tensor([-1.,  2.])
    """
    return as_tensor(input).ceil()


def trunc(input: Any) -> Tensor:
    """Return the elements rounded towards 0; the gradient is 0.

    Example:
        >>> trunc(as_tensor([-1.5, 1.5]))
        tensor([-1.,  1.])
    """
    return as_tensor(input).trunc()


fix = trunc


def round(input: Any, *, decimals: int = 0) -> Tensor:
    """Return the elements rounded, halves to the even neighbour; the gradient is 0.

    Args:
        input: The values.
        decimals: How many decimals are left; a negative number rounds to tens and so on.

    Raises:
        RuntimeError: If ``decimals`` is given for integers.

    Example:
        >>> round(as_tensor([0.5, 1.5, 2.46])), round(as_tensor([2.46]), decimals=1)
        (tensor([0., 2., 2.]), tensor([2.5000]))
    """
    return as_tensor(input).round(decimals=decimals)


def frac(input: Any) -> Tensor:
    """Return what rounding towards 0 takes off, of a floating-point tensor.

    Example:
        >>> frac(as_tensor([-1.5, 1.25]))
        tensor([-0.5000,  0.2500])
    """
    return as_tensor(input).frac()


def copysign(input: Any, other: Any) -> Tensor:
    """Return the absolute values of ``input`` with the signs of ``other``; also that of -0.0.

    Example:
        >>> copysign(as_tensor([1.0, -2.0]), -0.0)
        tensor([-1., -2.])
    """
    return tensor_first("copysign", input).copysign(other)


def nan_to_num(
    input: Any,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Return the elements with numbers in place of nan and the infinities.

    Args:
        input: The values.
        nan: In place of nan. Default: 0.
        posinf: In place of infinity. Default: the largest number of the data type.
        neginf: In place of minus infinity. Default: the lowest number.

    Example:
        >>> nan_to_num(as_tensor([1.0, float("nan"), float("inf")]), posinf=9)
        tensor([1., 0., 9.])
    """
    return as_tensor(input).nan_to_num(nan, posinf, neginf)


def heaviside(input: Any, values: Any) -> Tensor:
    """Return 0 for negative elements, 1 for positive ones, and ``values`` for 0; no gradient.

    Args:
        input: The elements.
        values: Of the same data type; shapes broadcast.

    Raises:
        RuntimeError: If the data types differ.

    Example:
        >>> heaviside(as_tensor([-2.0, 0.0, 3.0]), as_tensor(0.5))
        tensor([0.0000, 0.5000, 1.0000])
    """
    return tensor_first("heaviside", input).heaviside(values)


def nextafter(input: Any, other: Any) -> Tensor:
    """Return the next floating-point numbers after ``input`` on the way to ``other``; no gradient.

    Raises:
        RuntimeError: If ``input`` is not of floating-point type.

    Example:
        >>> nextafter(as_tensor([1.0]), as_tensor([2.0])) - 1
        tensor([1.1921e-07])
    """
    return as_tensor(input).nextafter(as_tensor(other))
