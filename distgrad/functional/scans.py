"""Sums, products and extremes of all elements so far, along an axis."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Extremes, Tensor

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "logcumsumexp"]


def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Tensor:
    """Return the sum of the elements so far along ``dim``; integers become int64, or ``dtype``.

    Example:
        >>> cumsum(as_tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 3., 6.])
    """
    return as_tensor(input).cumsum(dim, dtype=dtype)


def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Tensor:
    """Return the product of the elements so far along ``dim``; its gradient is exact at zeros too.

    Example:
        >>> cumprod(as_tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 2., 6.])
    """
    return as_tensor(input).cumprod(dim, dtype=dtype)


def logcumsumexp(input: Any, dim: int) -> Tensor:
    """Return the logarithm of the sum of the exponentials so far along ``dim``.

    Raises:
        RuntimeError: If ``input`` is not of floating-point type.

    Example:
        >>> logcumsumexp(as_tensor([500.0, 500.0]), dim=0)
        tensor([500.0000, 500.6931])
    """
    return as_tensor(input).logcumsumexp(dim)


def cummax(input: Any, dim: int) -> Extremes:
    """Return the largest element so far along ``dim``, and its place: of equal ones the last.

    Example:
        >>> cummax(as_tensor([1.0, 3.0, 2.0]), dim=0)
        Extremes(values=tensor([1., 3., 3.]), indices=tensor([0, 1, 1]))
    """
    return as_tensor(input).cummax(dim)


def cummin(input: Any, dim: int) -> Extremes:
    """Return the smallest element so far along ``dim``, and its place: of equal ones the last.

    Example:
        >>> cummin(as_tensor([2.0, 1.0, 3.0]), dim=0)
        Extremes(values=tensor([2., 1., 1.]), indices=tensor([0, 1, 1]))
    """
    return as_tensor(input).cummin(dim)
