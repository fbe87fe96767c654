"""Other shapes of the same elements; most results share the memory of their input."""

from typing import Any

import numpy as np

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_tensors",
    "broadcast_to",
    "flatten",
    "ravel",
    "reshape",
    "squeeze",
    "unflatten",
    "unsqueeze",
]


def reshape(input: Any, shape: tuple[int, ...]) -> Tensor:
    """Return the elements in another shape; one length may be -1.

    Raises:
        RuntimeError: If the lengths do not multiply to the number of elements.

    Example:
        >>> reshape(as_tensor([1, 2, 3, 4]), (2, -1))
        tensor([[1, 2],
                [3, 4]])
    """
    return as_tensor(input).reshape(shape)


def ravel(input: Any) -> Tensor:
    """Return the elements along one axis.

    Example:
        >>> ravel(as_tensor([[1, 2], [3, 4]]))
        tensor([1, 2, 3, 4])
    """
    return as_tensor(input).ravel()


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return the tensor with the axes from start to end, both included, made one.

    Raises:
        RuntimeError: If the end lies before the start.

    Example:
        >>> import distgrad as dg
        >>> flatten(dg.zeros(2, 3, 4), start_dim=1).shape
        (2, 12)
    """
    return as_tensor(input).flatten(start_dim, end_dim)


def unflatten(input: Any, dim: int, sizes: tuple[int, ...]) -> Tensor:
    """Return the tensor with one axis made several of these lengths; one may be -1.

    Raises:
        RuntimeError: If the lengths do not multiply to that of the axis.

    Example:
        >>> import distgrad as dg
        >>> unflatten(dg.zeros(2, 12), 1, (3, -1)).shape
        (2, 3, 4)
    """
    return as_tensor(input).unflatten(dim, sizes)


def squeeze(input: Any, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Return the tensor without its axes of length 1, or without those of them in ``dim``.

    Example:
        >>> import distgrad as dg
        >>> squeeze(dg.zeros(1, 2, 1)).shape, squeeze(dg.zeros(1, 2, 1), 0).shape
        ((2,), (2, 1))
    """
    return as_tensor(input).squeeze(dim)


def unsqueeze(input: Any, dim: int) -> Tensor:
    """Return the tensor with an axis of length 1 more, at ``dim``.

    Example:
        >>> unsqueeze(as_tensor([1, 2]), 1)
        tensor([[1],
                [2]])
    """
    return as_tensor(input).unsqueeze(dim)


def broadcast_to(input: Any, shape: tuple[int, ...]) -> Tensor:
    """Return the tensor with axes of length 1 stretched, and new ones in front.

    Args:
        input: The tensor.
        shape: The new shape; -1 keeps a length.

    Raises:
        RuntimeError: If an axis of another length would have to change.

    Example:
        >>> broadcast_to(as_tensor([1, 2]), (2, 2))
        tensor([[1, 2],
                [1, 2]])
    """
    return as_tensor(input).expand(shape)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Return the tensors stretched to one shape.

    Raises:
        RuntimeError: If there is no such shape.

    Example:
        >>> import distgrad as dg
        >>> [x.shape for x in broadcast_tensors(dg.zeros(2, 1), dg.zeros(3))]
        [(2, 3), (2, 3)]
    """
    given = [as_tensor(x) for x in tensors]
    shapes = [x.shape for x in given]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(
            f"broadcast_tensors(): shapes {shapes} do not broadcast: counted from the back, their "
            "lengths must be equal or 1"
        ) from None
    return tuple(x.expand(shape) for x in given)


def atleast_1d(*tensors: Any) -> Any:
    """Return each tensor with at least one axis; of one tensor or sequence, that or a tuple.

    Example:
        >>> atleast_1d(as_tensor(2.0))
        tensor([2.])
    """
    return _each(tensors, lambda x: x if x.ndim else x.reshape(1))


def atleast_2d(*tensors: Any) -> Any:
    """Return each tensor with at least two axes; a vector becomes a row.

    Example:
        >>> atleast_2d(as_tensor([2.0, 3.0]))
        tensor([[2., 3.]])
    """
    return _each(tensors, lambda x: x if x.ndim > 1 else x.reshape(1, x.numel()))


def atleast_3d(*tensors: Any) -> Any:
    """Return each tensor with at least three axes; a vector becomes (1, n, 1).

    Example:
        >>> atleast_3d(as_tensor([[2.0, 3.0]])).shape
        (1, 2, 1)
    """
    return _each(tensors, lambda x: x if x.ndim > 2 else atleast_2d(x).unsqueeze(-1))


def _each(tensors: Any, change: Any) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], list | tuple):
        return change(as_tensor(tensors[0]))
    if len(tensors) == 1:
        tensors = tensors[0]
    return tuple(change(as_tensor(x)) for x in tensors)
