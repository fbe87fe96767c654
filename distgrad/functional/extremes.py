"""Largest, smallest and middle elements, and their places."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.functional.arguments import tensor_first
from distgrad.tensor import Tensor

__all__ = ["amax", "amin", "argmax", "argmin", "max", "median", "min"]


def amax(input: Any, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Return the largest element of all, or over ``dim``; equal ones share the gradient evenly.

    Example:
        >>> amax(as_tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1)
        tensor([5., 7.])
    """
    return as_tensor(input).amax(dim, keepdim)


def amin(input: Any, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Return the smallest element of all, or over ``dim``; equal ones share the gradient evenly.

    Example:
        >>> amin(as_tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1)
        tensor([1., 3.])
    """
    return as_tensor(input).amin(dim, keepdim)


def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the largest element; or along ``dim`` the pair (values, indices).

    Equal largest elements share the gradient of the first form evenly; in the second the first of
    them gets it. With a Tensor in place of ``dim`` it is `maximum`.

    Example:
        >>> max(as_tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1).indices
        tensor([1, 0])
    """
    return tensor_first("max", input).max(dim, keepdim)


def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the smallest element; or along ``dim`` the pair (values, indices).

    Equal ones are treated as by `max`. With a Tensor in place of ``dim`` it is `minimum`.

    Example:
        >>> min(as_tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1).values
        tensor([1., 3.])
    """
    return tensor_first("min", input).min(dim, keepdim)


def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the place of the first largest element, among all or along ``dim``.

    Example:
        >>> argmax(as_tensor([1.0, 5.0, 5.0]))
        tensor(1)
    """
    return as_tensor(input).argmax(dim, keepdim)


def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the place of the first smallest element, among all or along ``dim``.

    Example:
        >>> argmin(as_tensor([5.0, 1.0, 1.0]))
        tensor(1)
    """
    return as_tensor(input).argmin(dim, keepdim)


def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the middle element; or along ``dim`` the pair (values, indices).

    Of two in the middle it is the lower one; it is nan where an element is.

    Example:
        >>> median(as_tensor([4.0, 1.0, 3.0, 2.0]))
        tensor(2.)
    """
    return as_tensor(input).median(dim, keepdim)
