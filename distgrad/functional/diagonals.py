"""Diagonals of matrices, and what lies above or below one.

A positive diagonal lies to the right of the main one, a negative one below it.
"""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = ["diag", "diag_embed", "diagflat", "diagonal", "tril", "triu"]


def tril(input: Any, diagonal: int = 0) -> Tensor:
    """Return the matrices with zeros to the right of a diagonal.

    Raises:
        RuntimeError: If there are fewer than two axes.

    Example:
        >>> tril(as_tensor([[1, 2], [3, 4]]))
        tensor([[1, 0],
                [3, 4]])
    """
    return as_tensor(input).tril(diagonal)


def triu(input: Any, diagonal: int = 0) -> Tensor:
    """Return the matrices with zeros to the left of a diagonal.

    Raises:
        RuntimeError: If there are fewer than two axes.

    Example:
        >>> triu(as_tensor([[1, 2], [3, 4]]), 1)
        tensor([[0, 2],
                [0, 0]])
    """
    return as_tensor(input).triu(diagonal)


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return a diagonal of two axes as the last axis; it shares the memory of ``input``.

    Raises:
        RuntimeError: If the two axes are one.

    Example:
        >>> diagonal(as_tensor([[1, 2], [3, 4]]))
        tensor([1, 4])
    """
    return as_tensor(input).diagonal(offset, dim1, dim2)


def diag(input: Any, diagonal: int = 0) -> Tensor:
    """Return a copy of a matrix's diagonal, or the matrix that has a vector there.

    Raises:
        RuntimeError: If it is neither a vector nor a matrix.

    Example:
        >>> diag(as_tensor([1, 2]))
        tensor([[1, 0],
                [0, 2]])
    """
    return as_tensor(input).diag(diagonal)


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return matrices of zeros, with the last axis of ``input`` on a diagonal.

    Args:
        input: The tensor, (..., n).
        offset: Which diagonal.
        dim1: The axis of the result that counts rows.
        dim2: The axis of the result that counts columns.

    Raises:
        RuntimeError: If the two axes are one, or ``input`` has none.

    Example:
        >>> diag_embed(as_tensor([[1], [2]]), 1).tolist()
        [[[0, 1], [0, 0]], [[0, 2], [0, 0]]]
    """
    return as_tensor(input).diag_embed(offset, dim1, dim2)


def diagflat(input: Any, offset: int = 0) -> Tensor:
    """Return the matrix that has all elements on a diagonal.

    Example:
        >>> diagflat(as_tensor([[1], [2]]))
        tensor([[1, 0],
                [0, 2]])
    """
    return as_tensor(input).diagflat(offset)
