"""Sums, products, means, spreads and norms, over all axes or over some of them."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "all",
    "any",
    "log_softmax",
    "logsumexp",
    "mean",
    "nanmean",
    "nansum",
    "norm",
    "prod",
    "softmax",
    "std",
    "std_mean",
    "sum",
    "trace",
    "var",
    "var_mean",
]


def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the sum over all axes, or over ``dim``, one axis or several.

    Truth values and integers add up to int64, or to ``dtype``.

    Example:
        >>> sum(as_tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
        tensor([4., 6.])
    """
    return as_tensor(input).sum(dim, keepdim, dtype=dtype)


def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the sum of what is not nan, over all axes, or over ``dim``.

    Example:
        >>> nansum(as_tensor([1.0, float("nan"), 2.0]))
        tensor(3.)
    """
    return as_tensor(input).nansum(dim, keepdim, dtype=dtype)


def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the mean over all axes, or over ``dim``; of nothing it is nan.

    Raises:
        RuntimeError: If ``input``, or ``dtype``, is not of floating-point type.

    Example:
        >>> mean(as_tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
        tensor([2., 3.])
    """
    return as_tensor(input).mean(dim, keepdim, dtype=dtype)


def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the mean of what is not nan, over all axes, or over ``dim``.

    Raises:
        RuntimeError: If ``input`` is not of floating-point type.

    Example:
        >>> nanmean(as_tensor([1.0, float("nan"), 2.0]))
        tensor(1.5000)
    """
    return as_tensor(input).nanmean(dim, keepdim, dtype=dtype)


def prod(input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the product of all elements, or along ``dim``; its gradient is exact at zeros too.

    Example:
        >>> prod(as_tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
        tensor([3., 8.])
    """
    return as_tensor(input).prod(dim, keepdim, dtype=dtype)


def all(input: Any, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Tell whether every element is true, among all, or over ``dim``.

    Example:
        >>> all(as_tensor([[True, False], [True, True]]), dim=1)
        tensor([False,  True])
    """
    return as_tensor(input).all(dim, keepdim)


def any(input: Any, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Tell whether some element is true, among all, or over ``dim``.

    Example:
        >>> any(as_tensor([[True, False], [False, False]]), dim=1)
        tensor([ True, False])
    """
    return as_tensor(input).any(dim, keepdim)


def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Return the variance over all axes, or over ``dim``.

    Args:
        input: The values, of floating-point type.
        dim: The axes to reduce.
        unbiased: PyTorch's older form of ``correction``: True for 1, False for 0.
        keepdim: Keep the axes with length 1.
        correction: Taken off the number of elements in the mean of the squares: 1, the default, for
            the sample variance, 0 for that of the whole population.

    Returns:
        nan or infinite where there are no more than ``correction`` elements.

    Raises:
        RuntimeError: If ``input`` is not of floating-point type.
        TypeError: If both ``unbiased`` and ``correction`` are given.

    Example:
        >>> var([1.0, 2.0, 3.0]), var([1.0, 3.0], correction=0)
        (tensor(1.), tensor(1.))
    """
    return as_tensor(input).var(dim, unbiased, keepdim, correction=correction)


def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Return the standard deviation, the square root of the variance; see `var`.

    Example:
        >>> std([1.0, 2.0, 3.0]), std([1.0, 3.0], correction=0)
        (tensor(1.), tensor(1.))
    """
    return as_tensor(input).std(dim, unbiased, keepdim, correction=correction)


def var_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the pair (variance, mean); see `var`.

    Example:
        >>> var_mean(as_tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))
    """
    x = as_tensor(input)
    spread = x.var(dim, unbiased, keepdim, correction=correction)
    return spread, x.mean(None if isinstance(dim, bool) else dim, keepdim)


def std_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the pair (standard deviation, mean); see `var`.

    Example:
        >>> std_mean(as_tensor([1.0, 3.0, 5.0]))
        (tensor(2.), tensor(3.))
    """
    x = as_tensor(input)
    spread = x.std(dim, unbiased, keepdim, correction=correction)
    return spread, x.mean(None if isinstance(dim, bool) else dim, keepdim)


def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Tensor:
    """Return the logarithm of the sum of the exponentials over ``dim``, without overflow.

    Example:
        >>> logsumexp([500.0, 500.0, 0.0, 0.0], dim=0)
        tensor(500.6931)
    """
    return as_tensor(input).logsumexp(dim, keepdim)


def softmax(input: Any, dim: int, *, dtype: Any = None) -> Tensor:
    """Return the exponentials over their sum along ``dim``, computed without overflow.

    Args:
        input: The values, of floating-point type.
        dim: The axis.
        dtype: What the values are converted to first. Default: their own type.

    Raises:
        TypeError: If ``input``, or ``dtype``, is not of floating-point type.
        IndexError: If there is no such axis.

    Example:
        >>> softmax([0.0, 0.0, -1000.0], dim=0)
        tensor([0.5000, 0.5000, 0.0000])
    """
    return as_tensor(input).softmax(dim, dtype=dtype)


def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Tensor:
    """Return the logarithms of the softmax along ``dim``, computed without overflow.

    Args:
        input: Any shape, of floating-point type.
        dim: The axis.
        dtype: What the values are converted to first. Default: their own type.

    Raises:
        TypeError: If ``input``, or ``dtype``, is not of floating-point type.
        IndexError: If there is no such axis.

    Example:
        >>> log_softmax(as_tensor([0.0, 1000.0]), dim=0)
        tensor([-1000.,     0.])
    """
    return as_tensor(input).log_softmax(dim, dtype=dtype)


def trace(input: Any) -> Tensor:
    """Return the sum of the diagonal of a matrix.

    Raises:
        RuntimeError: If ``input`` is not a matrix.

    Example:
        >>> trace(as_tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor(5.)
    """
    return as_tensor(input).trace()


def norm(
    input: Any,
    p: Any = "fro",
    dim: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
) -> Tensor:
    """Return the norm of order ``p`` over all axes, or over ``dim``.

    Args:
        input: The values, of floating-point type.
        p: A number, as in `distgrad.linalg.vector_norm`; "fro" for 2; "nuc" for the sum of the
            singular values of matrices.
        dim: The axes to reduce.
        keepdim: Keep them with length 1.
        dtype: What the values are converted to first. Default: their own type.

    Raises:
        RuntimeError: If ``input`` is not of floating-point type, or "nuc" has no matrices.

    Example:
        >>> norm(as_tensor([3.0, -4.0])), norm(as_tensor([3.0, -4.0]), p=1)
        (tensor(5.), tensor(7.))
    """
    return as_tensor(input).norm(p, dim, keepdim, dtype)
