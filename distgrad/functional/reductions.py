"""Reductions over all axes or over some of them."""

import math
from typing import Any

from distgrad import ops
from distgrad.creation import as_tensor
from distgrad.tensor import Tensor, apply

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "logsumexp",
    "max",
    "mean",
    "min",
    "norm",
    "softmax",
    "std",
    "sum",
    "var",
]


def sum(input: Any, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Return the sum over all axes, or over ``dim``.

    Example:
        >>> sum(as_tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
        tensor([4., 6.])
    """
    return as_tensor(input).sum(dim, keepdim)


def mean(input: Any, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Return the mean over all axes, or over ``dim``; of nothing it is nan."""
    return as_tensor(input).mean(dim, keepdim)


def max(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the largest element, or along ``dim`` the pair (values, indices).

    Equal largest elements share the gradient of the first form evenly; in the second the first of
    them gets it.

    Example:
        >>> max(as_tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1).indices
        tensor([1, 0])
    """
    return as_tensor(input).max(dim, keepdim)


def min(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the smallest element, or along ``dim`` the pair (values, indices).

    Equal ones are treated as by `max`.
    """
    return as_tensor(input).min(dim, keepdim)


def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the place of the first largest element, among all or along ``dim``."""
    return as_tensor(input).argmax(dim, keepdim)


def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the place of the first smallest element, among all or along ``dim``."""
    return as_tensor(input).argmin(dim, keepdim)


def all(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Tell whether every element is true."""
    return as_tensor(input).all(dim, keepdim)


def any(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Tell whether some element is true."""
    return as_tensor(input).any(dim, keepdim)


def var(
    input: Any,
    dim: int | tuple[int, ...] | None = None,
    *,
    correction: int = 1,
    keepdim: bool = False,
) -> Tensor:
    """Return the variance over all axes, or over ``dim``.

    Args:
        input: The values, of floating-point type.
        dim: The axes to reduce.
        correction: Taken off the number of elements in the mean of the squares: 1 for the sample
            variance, 0 for that of the whole population.
        keepdim: Keep the axes with length 1.

    Returns:
        nan where there are no more than ``correction`` elements.

    Raises:
        RuntimeError: If ``input`` is not of floating-point type.

    Example:
        >>> var([1.0, 2.0, 3.0]), var([1.0, 3.0], correction=0)
        (tensor(1.), tensor(1.))
    """
    return as_tensor(input).var(dim, correction=correction, keepdim=keepdim)


def std(
    input: Any,
    dim: int | tuple[int, ...] | None = None,
    *,
    correction: int = 1,
    keepdim: bool = False,
) -> Tensor:
    """Return the standard deviation over all axes, or over ``dim``.

    Args:
        input: The values, of floating-point type.
        dim: The axes to reduce.
        correction: Taken off the number of elements in the mean of the squares: 1 for the sample
            variance, 0 for that of the whole population.
        keepdim: Keep the axes with length 1.

    Returns:
        nan where there are no more than ``correction`` elements.

    Raises:
        RuntimeError: If ``input`` is not of floating-point type.

    Example:
        >>> std([1.0, 2.0, 3.0]), std([1.0, 3.0], correction=0)
        (tensor(1.), tensor(1.))
    """
    return as_tensor(input).std(dim, correction=correction, keepdim=keepdim)


def logsumexp(input: Any, dim: int | tuple[int, ...], keepdim: bool = False) -> Tensor:
    """Return the logarithm of the sum of the exponentials over ``dim``, without overflow.

    Example:
        >>> logsumexp([500.0, 500.0, 0.0, 0.0], dim=0)
        tensor(500.6931)
    """
    return as_tensor(input).logsumexp(dim, keepdim)


def softmax(input: Any, dim: int) -> Tensor:
    """Return the exponentials over their sum along ``dim``, computed without overflow.

    Raises:
        TypeError: If ``input`` is not of floating-point type.
        IndexError: If there is no such axis.

    Example:
        >>> softmax([0.0, 0.0, -1000.0], dim=0)
        tensor([0.5, 0.5, 0. ])
    """
    return as_tensor(input).softmax(dim)


def norm(
    input: Any,
    p: float = 2,
    dim: int | tuple[int, ...] | None = None,
    keepdim: bool = False,
) -> Tensor:
    """Return the p-norm over all axes, or over ``dim``.

    Args:
        input: The values.
        p: The order: at least 1, ``inf`` for the largest absolute value.
        dim: The axes to reduce.
        keepdim: Keep them with length 1.

    Raises:
        ValueError: If ``p`` is below 1.

    Example:
        >>> norm(as_tensor([3.0, -4.0])), norm(as_tensor([3.0, -4.0]), p=1)
        (tensor(5.), tensor(7.))
    """
    if p < 1:
        raise ValueError(f"norm() is defined for p >= 1, got p={p}")
    if p == 2:
        return as_tensor(input).norm(dim, keepdim)
    lengths = as_tensor(input).abs()
    if p == 1:
        return lengths.sum(dim, keepdim)
    if p == math.inf:
        return apply(ops.amax, lengths, axis=dim, keepdims=keepdim)
    total = (lengths**p).sum(dim, keepdim)
    zero = total == 0  # the root is infinitely steep there: take the root of 1, and 1 off
    return (total + zero) ** (1 / p) - zero
