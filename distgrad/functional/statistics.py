"""Counts, quantiles, the most frequent elements, and covariances."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "aminmax",
    "corrcoef",
    "count_nonzero",
    "cov",
    "mode",
    "nanmedian",
    "nanquantile",
    "quantile",
]


def count_nonzero(input: Any, dim: Any = None) -> Tensor:
    """Return how many elements are not 0, among all or over ``dim``, one axis or several.

    Example:
        >>> count_nonzero(as_tensor([[1, 0], [2, 3]]), dim=0)
        tensor([2, 1])
    """
    return as_tensor(input).count_nonzero(dim)


def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the pair (min, max), of all elements or along ``dim``; see `amax`.

    Example:
        >>> aminmax(as_tensor([3.0, 1.0, 2.0]))
        Bounds(min=tensor(1.), max=tensor(3.))
    """
    return as_tensor(input).aminmax(dim=dim, keepdim=keepdim)


def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the median of what is not nan, or along ``dim`` the pair (values, indices).

    Where all elements are nan, so is the result; else it is as `median`.

    Example:
        >>> nanmedian(as_tensor([4.0, float("nan"), 3.0, 2.0]))
        tensor(3.)
    """
    return as_tensor(input).nanmedian(dim, keepdim)


def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the most frequent elements along ``dim`` as the pair (values, indices).

    Of several the smallest is meant, and of its places the last.

    Raises:
        IndexError: If ``dim`` has no element.

    Example:
        >>> mode(as_tensor([3, 1, 2, 1, 3])).values
        tensor(1)
    """
    return as_tensor(input).mode(dim, keepdim)


def quantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """Return quantiles of all elements, or along ``dim``; nan where an element is.

    Args:
        input: The elements, float32 or float64.
        q: From 0 to 1: a number, or a tensor of the same data type, 0-d or 1-d.
        dim: The axis.
        keepdim: Keep it with length 1.
        interpolation: What lies between two elements: "linear" for the place between them,
            "midpoint" for their mean, "lower", "higher" or "nearest" for one of them.

    Returns:
        One value, or those along ``dim``; for 1-d ``q`` as many of these, along a first axis.

    Raises:
        RuntimeError: If there are no elements, data types do not fit, ``q`` has more axes or other
            values, or there is no such interpolation.

    Example:
        >>> quantile(as_tensor([1.0, 2.0, 4.0, 8.0]), as_tensor([0.5, 1.0]))
        tensor([3., 8.])
    """
    return as_tensor(input).quantile(q, dim, keepdim, interpolation=interpolation)


def nanquantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """Return quantiles of what is not nan; arguments and errors are those of `quantile`.

    Example:
        >>> nanquantile(as_tensor([1.0, float("nan"), 3.0]), 0.5)
        tensor(2.)
    """
    return as_tensor(input).nanquantile(q, dim, keepdim, interpolation=interpolation)


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
    """Return the covariances of variables.

    Args:
        input: (variables, observations), or (observations,) of a single one; integers become
            float32.
        correction: Taken off the number of observations, as in `var`.
        fweights: How often each observation was made, whole numbers.
        aweights: How much each one counts, floating-point numbers.

    Returns:
        (variables, variables), or the variance of a single one.

    Raises:
        RuntimeError: If there are more axes, or weights of other shapes or data types.

    Warns:
        UserWarning: If no degree of freedom is left; the result is infinite or nan.

    Example:
        >>> cov(as_tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    return as_tensor(input).cov(correction=correction, fweights=fweights, aweights=aweights)


def corrcoef(input: Any) -> Tensor:
    """Return Pearson's correlation coefficients of variables, which are rows; see `cov`.

    Example:
        >>> corrcoef(as_tensor([[1.0, 2.0, 3.0], [6.0, 4.0, 2.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    return as_tensor(input).corrcoef()
