"""Which elements there are, and where they stand; without gradients."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "argwhere",
    "nonzero",
    "unique",
    "unique_consecutive",
]


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Return the places of what is not 0.

    Args:
        input: The elements, of any shape.
        as_tuple: Return an index, one int64 tensor for each axis, as `where` does, in place of an
            int64 tensor (places, axes).

    Example:
        >>> nonzero(as_tensor([[1, 0], [2, 3]]))
        tensor([[0, 0],
                [1, 0],
                [1, 1]])
    """
    return as_tensor(input).nonzero(as_tuple=as_tuple)


def argwhere(input: Any) -> Tensor:
    """Return the places of what is not 0, (places, axes); see `nonzero`.

    Example:
        >>> argwhere(as_tensor([0.5, 0.0, 2.0]))
        tensor([[0],
                [2]])
    """
    return as_tensor(input).argwhere()


def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return the distinct elements in order, or the distinct parts along ``dim``.

    Args:
        input: The elements, of any shape; each nan is distinct.
        sorted: Without effect: they are in order in either case.
        return_inverse: Also return which of them each element is, in the shape of the input.
        return_counts: Also return how often each of them is there.
        dim: The axis; all elements by default.

    Returns:
        A tensor, or a tuple of those asked for.

    Example:
        >>> unique(as_tensor([3, 1, 3]), return_inverse=True)
        (tensor([1, 3]), tensor([1, 0, 1]))
    """
    return as_tensor(input).unique(sorted, return_inverse, return_counts, dim)


def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """Return the first elements of all runs of equal ones; arguments and result as of `unique`.

    Example:
        >>> unique_consecutive(as_tensor([1, 1, 2, 1]), return_counts=True)
        (tensor([1, 2, 1]), tensor([2, 1, 1]))
    """
    return as_tensor(input).unique_consecutive(return_inverse, return_counts, dim)
