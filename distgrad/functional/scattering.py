"""Copies of a tensor with other elements at given places.

Where places repeat, all elements are added, in their order, or the last one stays. Gradients flow
to the tensor and to the source; those of elements that were overwritten by a later one are as if
they had stayed, as in PyTorch.
"""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_reduce",
    "masked_scatter",
    "put",
    "scatter",
    "scatter_add",
    "scatter_reduce",
]


def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """Return a copy with elements of ``src``, or one value, at places along ``dim``.

    In three axes and for dim 1, ``result[i, index[i, j, k], k] = src[i, j, k]``.

    Args:
        input: The tensor.
        dim: The axis.
        index: Places along it, of int64 or int32, with as many axes as ``input``.
        src: A tensor of the type of ``input``, at least as long as the index; or a number.
        value: A number in place of ``src``.
        reduce: None to put the elements there; "add" or "multiply" to combine them.

    Raises:
        RuntimeError: If shapes or types do not fit, or an index points outside.
        TypeError: If not one of ``src`` and ``value`` is given.

    Example:
        >>> scatter(as_tensor([[0, 0], [0, 0]]), 1, as_tensor([[1], [0]]), 5)
        tensor([[0, 5],
                [5, 0]])
    """
    return as_tensor(input).scatter(dim, index, src, value=value, reduce=reduce)


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Tensor:
    """Return a copy with elements of ``src`` added at places along ``dim``, as `scatter` says.

    Example:
        >>> scatter_add(as_tensor([0.0, 0.0]), 0, as_tensor([1, 1]), as_tensor([2.0, 3.0]))
        tensor([0., 5.])
    """
    return as_tensor(input).scatter_add(dim, index, src)


def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Return a copy with elements of ``src`` reduced at places along ``dim``, as `scatter` says.

    Args:
        input: The tensor.
        dim: The axis.
        index: Places along it.
        src: The elements.
        reduce: "sum", "mean", "prod", "amax" or "amin". Gradients are exact at zeros too; equal
            extremes share theirs.
        include_self: Whether the elements of ``input`` are among those that are reduced.

    Raises:
        RuntimeError: If shapes or types do not fit, an index points outside, or there is no such
            reduction.

    Example:
        >>> x, index = as_tensor([1.0, 1.0]), as_tensor([1, 1])
        >>> scatter_reduce(x, 0, index, as_tensor([2.0, 3.0]), "prod")
        tensor([1., 6.])
    """
    return as_tensor(input).scatter_reduce(dim, index, src, reduce, include_self=include_self)


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor:
    """Return a copy with ``alpha * source`` added at these places of an axis.

    Args:
        input: The tensor.
        dim: The axis.
        index: Places along it, a vector of int64 or int32.
        source: Of the shape and type of ``input``, but for the length of the axis, which is that of
            the index.
        alpha: A factor.

    Raises:
        IndexError: If an index points outside, or the source is of another shape.
        RuntimeError: If types do not fit.

    Example:
        >>> index_add(as_tensor([0.0, 0.0]), 0, as_tensor([1, 1]), as_tensor([2.0, 3.0]))
        tensor([0., 5.])
    """
    return as_tensor(input).index_add(dim, index, source, alpha=alpha)


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Tensor:
    """Return a copy with ``source`` at these places of an axis; arguments are as in `index_add`.

    Example:
        >>> index_copy(as_tensor([0.0, 0.0]), 0, as_tensor([1]), as_tensor([2.0]))
        tensor([0., 2.])
    """
    return as_tensor(input).index_copy(dim, index, source)


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Tensor:
    """Return a copy with a number or 0-d tensor at these places of an axis.

    Raises:
        IndexError: If an index points outside; a negative one counts from the end.
        RuntimeError: If the value has axes.

    Example:
        >>> index_fill(as_tensor([[1, 2], [3, 4]]), 1, as_tensor([0]), -1)
        tensor([[-1,  2],
                [-1,  4]])
    """
    return as_tensor(input).index_fill(dim, index, value)


def index_reduce(
    input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Return a copy with ``source`` reduced at these places of an axis; see `scatter_reduce`.

    Example:
        >>> index_reduce(as_tensor([1.0, 4.0]), 0, as_tensor([1, 1]), as_tensor([2.0, 3.0]), "mean")
        tensor([1., 3.])
    """
    return as_tensor(input).index_reduce(dim, index, source, reduce, include_self=include_self)


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """Return a copy with ``values`` at, or added at, ``input[indices]``.

    Args:
        input: The tensor.
        indices: A tuple of Tensors of places or of truth values; None stands for a whole axis.
        values: Of the type of ``input``; they broadcast.
        accumulate: Whether they are added.

    Raises:
        IndexError: If an index points outside.
        RuntimeError: If types do not fit.

    Example:
        >>> x, index = as_tensor([0.0, 0.0]), as_tensor([1, 1])
        >>> index_put(x, (index,), as_tensor([2.0, 3.0]), accumulate=True)
        tensor([0., 5.])
    """
    return as_tensor(input).index_put(indices, values, accumulate)


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Tensor:
    """Return a copy with ``source`` at, or added at, places counted among all elements.

    Raises:
        IndexError: If an index points outside; a negative one counts from the end.
        RuntimeError: If there is not one element for each place.

    Example:
        >>> put(as_tensor([[1, 2], [3, 4]]), as_tensor([0, -1]), as_tensor([8, 9]))
        tensor([[8, 2],
                [3, 9]])
    """
    return as_tensor(input).put(index, source, accumulate)


def masked_scatter(input: Any, mask: Any, source: Any) -> Tensor:
    """Return a copy with the first elements of ``source`` where ``mask`` is true.

    Raises:
        RuntimeError: If the source has too few elements, or the mask is not of bools.

    Example:
        >>> mask = as_tensor([True, False, True])
        >>> masked_scatter(as_tensor([0, 0, 0]), mask, as_tensor([7, 8, 9]))
        tensor([7, 0, 8])
    """
    return as_tensor(input).masked_scatter(mask, source)
