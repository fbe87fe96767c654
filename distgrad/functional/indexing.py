"""Elements at given places."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "gather",
    "index_select",
    "masked_fill",
    "masked_select",
    "take",
    "take_along_dim",
]


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Tensor:
    """Return for each place of ``index`` the element that it names along ``dim``.

    In three axes and for dim 1, ``result[i, j, k] = input[i, index[i, j, k], k]``.

    Args:
        input: The tensor.
        dim: The axis.
        index: Places along it, of int64 or int32, with as many axes as ``input``, and no longer
            than it along the others.
        sparse_grad: Without effect: gradients are dense.

    Raises:
        RuntimeError: If the index is of another shape or type, or points outside.

    Example:
        >>> gather(as_tensor([[1, 2], [3, 4]]), 1, as_tensor([[0, 0], [1, 0]]))
        tensor([[1, 1],
                [4, 3]])
    """
    return as_tensor(input).gather(dim, index, sparse_grad=sparse_grad)


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Tensor:
    """Return the elements at places along ``dim``; the other axes of both broadcast.

    Args:
        input: The tensor.
        indices: Places, of int64 or int32, such as `argsort` gives, or `argmax` with ``keepdim``; a
            negative one counts from the end.
        dim: The axis. Default: the elements are taken as those of one axis.

    Raises:
        RuntimeError: If the shapes do not broadcast, or an index points outside.

    Example:
        >>> take_along_dim(as_tensor([[1, 2], [3, 4]]), as_tensor([[1], [0]]), dim=1)
        tensor([[2],
                [3]])
    """
    return as_tensor(input).take_along_dim(indices, dim)


def take(input: Any, index: Any) -> Tensor:
    """Return the elements at these places among all, counted in the order of their indices.

    Args:
        input: The tensor.
        index: Places, of int64 or int32, of any shape; a negative one counts from the end.

    Raises:
        IndexError: If an index points outside.

    Example:
        >>> take(as_tensor([[1, 2], [3, 4]]), as_tensor([0, -1]))
        tensor([1, 4])
    """
    return as_tensor(input).take(index)


def index_select(input: Any, dim: int, index: Any) -> Tensor:
    """Return what stands at these places of an axis.

    Args:
        input: The tensor.
        dim: The axis.
        index: Places along it, a vector of int64 or int32.

    Raises:
        IndexError: If an index points outside, or there is more than a vector of them.

    Example:
        >>> index_select(as_tensor([[1, 2], [3, 4]]), 1, as_tensor([1, 1, 0]))
        tensor([[2, 2, 1],
                [4, 4, 3]])
    """
    return as_tensor(input).index_select(dim, index)


def masked_select(input: Any, mask: Any) -> Tensor:
    """Return the elements where ``mask`` is true, along one axis; shapes broadcast.

    Raises:
        RuntimeError: If the mask is not of bools, or the shapes do not broadcast.

    Example:
        >>> x = as_tensor([[1, 2], [3, 4]])
        >>> masked_select(x, x > 2)
        tensor([3, 4])
    """
    return as_tensor(input).masked_select(mask)


def masked_fill(input: Any, mask: Any, value: Any) -> Tensor:
    """Return the elements with ``value`` where ``mask`` is true.

    Args:
        input: The tensor.
        mask: A Tensor or array of bools; shapes broadcast.
        value: A number or a 0-d tensor.

    Raises:
        RuntimeError: If the mask is not of bools, or the value has axes.

    Example:
        >>> masked_fill(as_tensor([1.0, 2.0]), as_tensor([True, False]), 0)
        tensor([0., 2.])
    """
    return as_tensor(input).masked_fill(mask, value)
