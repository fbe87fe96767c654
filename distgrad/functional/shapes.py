"""Changes of shape; joining and splitting."""

from collections.abc import Sequence
from typing import Any

from distgrad import ops
from distgrad.creation import as_tensor
from distgrad.tensor import Tensor, apply, promoted

__all__ = [
    "cat",
    "chunk",
    "flatten",
    "permute",
    "reshape",
    "split",
    "squeeze",
    "stack",
    "transpose",
    "unsqueeze",
]


def reshape(input: Any, shape: tuple[int, ...]) -> Tensor:
    """Return the elements in another shape; one length may be -1."""
    return as_tensor(input).reshape(shape)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return the tensor with the axes from start to end, both included, made one."""
    return as_tensor(input).flatten(start_dim, end_dim)


def transpose(input: Any, dim0: int, dim1: int) -> Tensor:
    """Return the tensor with two axes swapped."""
    return as_tensor(input).transpose(dim0, dim1)


def permute(input: Any, dims: tuple[int, ...]) -> Tensor:
    """Return the tensor with its axes in another order.

    Example:
        >>> import distgrad as dg
        >>> permute(dg.zeros(2, 3, 4), (2, 0, 1)).shape
        (4, 2, 3)
    """
    return as_tensor(input).permute(dims)


def squeeze(input: Any, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Return the tensor without its axes of length 1, or without those of them in ``dim``."""
    return as_tensor(input).squeeze(dim)


def unsqueeze(input: Any, dim: int) -> Tensor:
    """Return the tensor with an axis of length 1 more, at ``dim``."""
    return as_tensor(input).unsqueeze(dim)


def cat(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Join tensors along an axis in which alone their shapes may differ.

    Args:
        tensors: At least one Tensor or array; one of shape (0,) joins anything and adds nothing.
        dim: The axis.

    Raises:
        ValueError: If there are no tensors, or their shapes do not fit.

    Example:
        >>> cat([as_tensor([1.0, 2.0]), as_tensor([3.0])])
        tensor([1., 2., 3.])
    """
    joined = _several("cat", tensors)
    filled = [x for x in joined if x.shape != (0,)]
    return apply(ops.concatenate, *(filled or joined), axis=dim)


def stack(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    Args:
        tensors: At least one Tensor or array.
        dim: Where the new axis is inserted.

    Raises:
        ValueError: If there are no tensors, or their shapes differ.

    Example:
        >>> stack([as_tensor([1, 2]), as_tensor([3, 4])], dim=1)
        tensor([[1, 3],
                [2, 4]])
    """
    return apply(ops.stack, *_several("stack", tensors), axis=dim)


def _several(name: str, tensors: Sequence[Any]) -> list[Any]:
    if not len(tensors):
        raise ValueError(f"{name}() needs at least one tensor")
    return promoted(*(as_tensor(x) for x in tensors))


def split(tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0) -> Any:
    """Return parts along ``dim``, which share the tensor's memory.

    Args:
        tensor: What to split.
        split_size_or_sections: The length of all parts but the last, which may be shorter; or the
            length of each part.
        dim: The axis.

    Raises:
        RuntimeError: If the lengths do not add up to that of the axis, or are not positive.

    Example:
        >>> split(as_tensor([1, 2, 3, 4, 5]), 2)
        (tensor([1, 2]), tensor([3, 4]), tensor([5]))
    """
    return as_tensor(tensor).split(split_size_or_sections, dim)


def chunk(input: Any, chunks: int, dim: int = 0) -> Any:
    """Return at most ``chunks`` parts along ``dim``, all but the last of one length.

    Raises:
        RuntimeError: If ``chunks`` is not positive.

    Example:
        >>> chunk(as_tensor([1, 2, 3, 4, 5]), 3)
        (tensor([1, 2]), tensor([3, 4]), tensor([5]))
    """
    return as_tensor(input).chunk(chunks, dim)
