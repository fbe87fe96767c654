"""Parts along an axis; they share the memory of their input."""

from collections.abc import Sequence
from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "chunk",
    "dsplit",
    "hsplit",
    "narrow",
    "select",
    "split",
    "split_with_sizes",
    "tensor_split",
    "unbind",
    "vsplit",
]


def split(tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0) -> Any:
    """Return parts along ``dim``.

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


def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> Any:
    """Return parts of these lengths along ``dim``; see `split`.

    Example:
        >>> split_with_sizes(as_tensor([1, 2, 3]), [1, 2])
        (tensor([1]), tensor([2, 3]))
    """
    return as_tensor(input).split_with_sizes(split_sizes, dim)


def chunk(input: Any, chunks: int, dim: int = 0) -> Any:
    """Return at most ``chunks`` parts along ``dim``, all but the last of one length.

    Raises:
        RuntimeError: If ``chunks`` is not positive.

    Example:
        >>> chunk(as_tensor([1, 2, 3, 4, 5]), 3)
        (tensor([1, 2]), tensor([3, 4]), tensor([5]))
    """
    return as_tensor(input).chunk(chunks, dim)


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Return parts along ``dim``.

    Args:
        input: What to split.
        indices_or_sections: How many parts, of which the first may be longer by one; or the places
            between the parts.
        dim: The axis.

    Raises:
        RuntimeError: If the number of parts is not positive.

    Example:
        >>> tensor_split(as_tensor([1, 2, 3, 4, 5]), 2)
        (tensor([1, 2, 3]), tensor([4, 5]))
        >>> tensor_split(as_tensor([1, 2, 3, 4, 5]), (1, 3))
        (tensor([1]), tensor([2, 3]), tensor([4, 5]))
    """
    return as_tensor(input).tensor_split(indices_or_sections, dim)


def hsplit(input: Any, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Return parts along the second axis, or along that of a vector; see `tensor_split`.

    Raises:
        RuntimeError: If a number of parts does not divide the length, or there is no axis.

    Example:
        >>> hsplit(as_tensor([[1, 2], [3, 4]]), 2)[0]
        tensor([[1],
                [3]])
    """
    return as_tensor(input).hsplit(indices_or_sections)


def vsplit(input: Any, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Return parts along the first axis of a matrix or more; see `tensor_split`.

    Raises:
        RuntimeError: If a number of parts does not divide the length, or there is one axis only.

    Example:
        >>> vsplit(as_tensor([[1, 2], [3, 4]]), 2)[0]
        tensor([[1, 2]])
    """
    return as_tensor(input).vsplit(indices_or_sections)


def dsplit(input: Any, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Return parts along the third axis; see `tensor_split`.

    Raises:
        RuntimeError: If a number of parts does not divide the length, or there is no third axis.

    Example:
        >>> dsplit(as_tensor([[[1, 2], [3, 4]]]), 2)[0].tolist()
        [[[1], [3]]]
    """
    return as_tensor(input).dsplit(indices_or_sections)


def select(input: Any, dim: int, index: int) -> Tensor:
    """Return what stands at one place of an axis, without that axis.

    Raises:
        IndexError: If there is no such place.

    Example:
        >>> select(as_tensor([[1, 2], [3, 4]]), 1, -1)
        tensor([2, 4])
    """
    return as_tensor(input).select(dim, index)


def narrow(input: Any, dim: int, start: Any, length: int) -> Tensor:
    """Return ``length`` elements along an axis, from ``start`` on.

    Args:
        input: The tensor.
        dim: The axis.
        start: The first place; a negative number counts from the end.
        length: How many elements.

    Raises:
        IndexError: If the start does not lie in the axis.
        RuntimeError: If not all of the elements do.

    Example:
        >>> narrow(as_tensor([1, 2, 3, 4]), 0, 1, 2)
        tensor([2, 3])
    """
    return as_tensor(input).narrow(dim, start, length)


def unbind(input: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Return what stands at each place of an axis, without that axis.

    Example:
        >>> unbind(as_tensor([[1, 2], [3, 4]]))
        (tensor([1, 2]), tensor([3, 4]))
    """
    return as_tensor(input).unbind(dim)
