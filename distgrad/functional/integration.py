"""Integrals by the trapezoidal rule."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "cumulative_trapezoid",
    "trapezoid",
    "trapz",
]


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """Return the integral of values along an axis, by the trapezoidal rule.

    Args:
        y: The values; integers become float32.
        x: Where they were taken: the places along ``dim``, or for each value; shapes broadcast.
        dx: How far apart they were taken, in place of ``x``. Default: 1.
        dim: The axis.

    Raises:
        RuntimeError: If ``y`` or ``x`` holds truth values, or there are not as many places.
        TypeError: If both ``x`` and ``dx`` are given.

    Example:
        >>> trapezoid(as_tensor([1.0, 2.0, 4.0])), trapezoid(as_tensor([1.0, 3.0]), dx=0.5)
        (tensor(4.5000), tensor(1.))
    """
    return _twice_parts("trapezoid", y, x, dx, dim).sum(dim) / 2


trapz = trapezoid


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """Return the integrals up to each place but the first; arguments are those of `trapezoid`.

    Example:
        >>> cumulative_trapezoid(as_tensor([1.0, 2.0, 4.0]))
        tensor([1.5000, 4.5000])
    """
    return _twice_parts("cumulative_trapezoid", y, x, dx, dim).cumsum(dim) / 2


def _twice_parts(name: str, y: Any, x: Any, dx: Any, dim: int) -> Tensor:
    """Return twice the areas between neighbours, in the data type of the operands."""
    if x is not None and dx is not None:
        raise TypeError(f"{name}() takes x or dx, not both")
    values = as_tensor(y)._number(name)
    axis = values._axis(dim)
    ahead, behind = _neighbours(values, axis)
    if x is None:
        return (ahead + behind) * (1 if dx is None else dx)
    places = as_tensor(x)._number(name)
    if places.ndim != 1:
        after, before = _neighbours(places, places._axis(axis - values.ndim))
        return (ahead + behind) * (after - before)
    if places.shape[0] != values.shape[axis]:
        raise RuntimeError(
            f"{name}() takes as many places x as values, {values.shape[axis]} along dim {dim}, got "
            f"{places.shape[0]}"
        )
    after, before = _neighbours(places, 0)
    return (ahead + behind) * (after - before).reshape(-1, *(1,) * (values.ndim - axis - 1))


def _neighbours(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return all but the first along an axis, and all but the last."""
    count = max(x.shape[axis] - 1, 0)
    return x.narrow(axis, x.shape[axis] - count, count), x.narrow(axis, 0, count)
