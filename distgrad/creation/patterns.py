"""Tensors whose elements follow from their places in a matrix."""

from typing import Any

import numpy as np

from distgrad.backend.dtypes import DEFAULT_FLOAT, data_type
from distgrad.tensor import Tensor
from distgrad.tensor.device import placed
from distgrad.tensor.values import lengths

__all__ = ["eye", "tril_indices", "triu_indices"]


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = DEFAULT_FLOAT,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a matrix with ones on its diagonal and zeros elsewhere.

    Args:
        n: The number of rows.
        m: The number of columns. Default: ``n``.
        dtype: The data type. Default: float32.
        device: Where it lies. Default: ``"cpu"``.
        requires_grad: As in `Tensor`.

    Raises:
        RuntimeError: If a number is negative.

    Example:
        >>> eye(2)
        tensor([[1., 0.],
                [0., 1.]])
    """
    rows, columns = lengths((n, n if m is None else m))
    wanted = DEFAULT_FLOAT if dtype is None else data_type(dtype)
    return Tensor(placed(np.eye(rows, columns, dtype=wanted), device), requires_grad)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = np.int64, device: Any = None
) -> Tensor:
    """Return the rows and columns of the elements on and below a diagonal, row by row.

    Args:
        row: The number of rows of the matrix.
        col: The number of its columns.
        offset: The diagonal: 0 the main one, above it 1, 2 and so on, below it -1, -2.
        dtype: The data type.
        device: Where it lies. Default: ``"cpu"``.

    Returns:
        A Tensor of shape (2, number of elements).

    Raises:
        RuntimeError: If a number is negative.

    Example:
        >>> tril_indices(2, 2)
        tensor([[0, 1, 1],
                [0, 0, 1]])
    """
    rows, columns = lengths((row, col))
    return _indices(np.tri(rows, columns, offset, dtype=bool), dtype, device)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = np.int64, device: Any = None
) -> Tensor:
    """Return the rows and columns of the elements on and above a diagonal; see `tril_indices`.

    Example:
        >>> triu_indices(2, 2)
        tensor([[0, 0, 1],
                [0, 1, 1]])
    """
    rows, columns = lengths((row, col))
    return _indices(~np.tri(rows, columns, offset - 1, dtype=bool), dtype, device)


def _indices(inside: Any, dtype: Any, device: Any) -> Tensor:
    wanted = data_type(dtype)
    if wanted not in (np.int32, np.int64):
        raise TypeError(f"indices are int32 or int64, not {wanted}")
    return Tensor(placed(np.array(inside.nonzero(), wanted), device))
