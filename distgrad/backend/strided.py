"""How matrices lie in memory, as a library of Fortran's kin reads it: column by column.

A matrix row by row is the transposed one there, and ``C = A B`` becomes ``C' = B' A'``: the
operands change places, and nothing is copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Strided", "strided"]


@dataclass(frozen=True)
class Strided:
    """A matrix, or a batch of them, as such a library reads its memory: column by column.

    Attributes:
        rows: The length of a column.
        columns: How many there are.
        step: From one column to the next, in elements.
        batch_step: From one matrix to the next; 0 for one that all share.
        is_transposed: Whether what is meant is the transposed matrix.
    """

    rows: int
    columns: int
    step: int
    batch_step: int
    is_transposed: bool


def strided(shape: Sequence[int], strides: Sequence[int], itemsize: int) -> Strided | None:
    """Return how such a library reads a matrix (..., rows, columns) transposed; None if it cannot.

    Leading axes must lie evenly, as one.

    Example:
        >>> strided((2, 3), (24, 8), 8)
        Strided(rows=3, columns=2, step=3, batch_step=0, is_transposed=False)
        >>> strided((3, 2), (8, 24), 8)
        Strided(rows=3, columns=2, step=3, batch_step=0, is_transposed=True)
    """
    rows, columns = shape[-2:]
    down, along = (step // itemsize for step in strides[-2:])
    batch_step = _batch_step(shape[:-2], strides[:-2])
    if batch_step is None or any(step % itemsize for step in strides):
        return None
    if (along == 1 or columns == 1) and (down >= columns or rows == 1):
        return Strided(columns, rows, max(down, columns), batch_step // itemsize, False)
    if (down == 1 or rows == 1) and (along >= rows or columns == 1):
        return Strided(rows, columns, max(along, rows), batch_step // itemsize, True)
    return None


def _batch_step(shape: Sequence[int], strides: Sequence[int]) -> int | None:
    """Return the one step, in bytes, that leads through all leading axes; None if there is none."""
    step: int | None = None  # not known yet; 0 is that of a matrix that all share
    expected = 0
    for length, stride in zip(reversed(shape), reversed(strides), strict=True):
        if length == 1:
            continue
        if stride < 0 or (step is not None and stride != expected):
            return None
        step = stride if step is None else step
        expected = stride * length
    return step or 0
