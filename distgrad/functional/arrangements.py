"""The elements in another order, several times, or as differences."""

from typing import Any

import numpy as np

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "clone",
    "diff",
    "flip",
    "fliplr",
    "flipud",
    "repeat_interleave",
    "roll",
    "rot90",
    "tile",
]


def clone(input: Any) -> Tensor:
    """Return a copy; gradients flow through it.

    Example:
        >>> clone(as_tensor([1.0, 2.0]))
        tensor([1., 2.])
    """
    return as_tensor(input).clone()


def flip(input: Any, dims: Any) -> Tensor:
    """Return the tensor with the order along these axes turned round.

    Raises:
        RuntimeError: If an axis is named twice.

    Example:
        >>> flip(as_tensor([[1, 2], [3, 4]]), dims=(0, 1))
        tensor([[4, 3],
                [2, 1]])
    """
    return as_tensor(input).flip(dims)


def fliplr(input: Any) -> Tensor:
    """Return the tensor with its columns in the opposite order.

    Raises:
        RuntimeError: If there are fewer than two axes.

    Example:
        >>> fliplr(as_tensor([[1, 2], [3, 4]]))
        tensor([[2, 1],
                [4, 3]])
    """
    return as_tensor(input).fliplr()


def flipud(input: Any) -> Tensor:
    """Return the tensor with its rows in the opposite order.

    Raises:
        RuntimeError: If there is no axis.

    Example:
        >>> flipud(as_tensor([[1, 2], [3, 4]]))
        tensor([[3, 4],
                [1, 2]])
    """
    return as_tensor(input).flipud()


def roll(input: Any, shifts: Any, dims: Any = None) -> Tensor:
    """Return the elements moved on; what leaves at the end of an axis comes in at its beginning.

    Args:
        input: The tensor.
        shifts: By how many places: a number, or one for each of ``dims``.
        dims: The axes. Default: all elements are moved as those of one axis.

    Raises:
        RuntimeError: If there is not one shift for each of ``dims``.

    Example:
        >>> roll(as_tensor([1, 2, 3]), 1)
        tensor([3, 1, 2])
    """
    return as_tensor(input).roll(shifts, dims)


def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Return the tensor turned by ``k`` quarters, from the first axis of ``dims`` to the second.

    Raises:
        RuntimeError: If ``dims`` does not name two axes.

    Example:
        >>> rot90(as_tensor([[1, 2], [3, 4]]))
        tensor([[2, 4],
                [1, 3]])
    """
    return as_tensor(input).rot90(k, dims)


def tile(input: Any, dims: Any) -> Tensor:
    """Return the tensor so many times along its last axes; new axes come first.

    Raises:
        RuntimeError: If a number of times is negative.

    Example:
        >>> tile(as_tensor([1, 2]), (2, 2))
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
    """
    return as_tensor(input).tile(dims)


def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Return each element so many times, one copy after the other.

    Args:
        input: The tensor. Alone, it is taken for ``repeats``, and their places are repeated.
        repeats: How many times: a number, or one for each place of the axis.
        dim: The axis. Default: all elements, as those of one axis.
        output_size: The new length of the axis, where it is known; it is checked.

    Raises:
        RuntimeError: If the numbers of times are negative, or not as many as there are places.

    Example:
        >>> repeat_interleave(as_tensor([1, 2]), 2)
        tensor([1, 1, 2, 2])
        >>> repeat_interleave(as_tensor([1, 2]), as_tensor([1, 3]))
        tensor([1, 2, 2, 2])
        >>> repeat_interleave(as_tensor([1, 3]))
        tensor([0, 1, 1, 1])
    """
    if repeats is not None:
        return as_tensor(input).repeat_interleave(repeats, dim, output_size=output_size)
    counts = as_tensor(input)
    if counts.ndim != 1:
        raise RuntimeError(
            f"repeat_interleave() alone takes a vector of numbers, got shape {counts.shape}"
        )
    places = as_tensor(np.arange(len(counts)))
    return places.repeat_interleave(counts, 0, output_size=output_size)


def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """Return the differences of neighbours along an axis, ``n`` times over.

    Args:
        input: The tensor; of truth values, the result tells where neighbours differ.
        n: How many times differences are taken.
        dim: The axis.
        prepend: What is put in front along the axis first, or None.
        append: What is put behind, or None.

    Raises:
        RuntimeError: If ``n`` is negative, or there is no axis.

    Example:
        >>> diff(as_tensor([1, 4, 9, 16]), n=2)
        tensor([2, 2])
    """
    return as_tensor(input).diff(n, dim, prepend, append)
