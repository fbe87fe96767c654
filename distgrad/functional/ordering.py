"""The elements in order; equal ones stay as they stand, and nan is the largest."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Ordered, Tensor

__all__ = ["argsort", "kthvalue", "msort", "sort", "topk"]


def sort(
    input: Any, dim: int = -1, descending: bool = False, *, stable: bool | None = None
) -> Ordered:
    """Return (values, indices) in order along an axis.

    Args:
        input: The tensor.
        dim: The axis.
        descending: Whether the largest comes first.
        stable: Without effect: equal elements always stay as they stand.

    Example:
        >>> sort(as_tensor([2.0, 1.0, 3.0]), descending=True)
        Ordered(values=tensor([3., 2., 1.]), indices=tensor([2, 0, 1]))
    """
    return as_tensor(input).sort(dim, descending, stable=stable)


def argsort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """Return the places of the elements in order along an axis; see `sort`.

    Example:
        >>> argsort(as_tensor([2.0, 1.0, 3.0]))
        tensor([1, 0, 2])
    """
    return as_tensor(input).argsort(dim, descending, stable)


def msort(input: Any) -> Tensor:
    """Return the elements in order along the first axis.

    Example:
        >>> msort(as_tensor([[2, 1], [1, 3]]))
        tensor([[1, 1],
                [2, 3]])
    """
    return as_tensor(input).msort()


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Ordered:
    """Return (values, indices) of the ``k`` largest or smallest elements along an axis.

    Args:
        input: The tensor.
        k: How many.
        dim: The axis.
        largest: The largest or the smallest; of equal ones those that come first.
        sorted: Without effect: they are always in order, the outermost first.

    Raises:
        RuntimeError: If the axis has fewer elements.

    Example:
        >>> topk(as_tensor([2.0, 1.0, 3.0]), 2)
        Ordered(values=tensor([3., 2.]), indices=tensor([2, 0]))
    """
    return as_tensor(input).topk(k, dim, largest, sorted)


def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Ordered:
    """Return (value, index) of the ``k``-th smallest element along an axis, counted from 1.

    Args:
        input: The tensor.
        k: Which element.
        dim: The axis.
        keepdim: Keep it with length 1.

    Raises:
        RuntimeError: If the axis has fewer elements, or ``k`` is not positive.

    Example:
        >>> kthvalue(as_tensor([2.0, 1.0, 3.0]), 2)
        Ordered(values=tensor(2.), indices=tensor(0))
    """
    return as_tensor(input).kthvalue(k, dim, keepdim)
