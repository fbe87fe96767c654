"""Sums of columns and of channels, and partial sums for norms, in a fixed order."""

from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import by_column, by_piece, launch, served, wide

__all__ = ["COLUMN", "total_columns"]


def block_power_sums(
    xp: Namespace, flat: Array, values: Array, first: int, norm_type: float
) -> Any:
    if not served(flat):
        return NotImplemented
    flat, length = xp.ascontiguousarray(flat), values.size
    pieces = 1 + max(0, -(-(flat.size - first) // length))
    sums = xp.empty(pieces, "float64")
    given = sums, flat, np.float64(norm_type), first, length, flat.size
    launch(xp, "sums.block_power_sums", flat.dtype, by_piece(pieces), *given)
    return sums


def column_sum(xp: Namespace, rows: Array) -> Any:
    if rows.ndim != 2 or not served(rows):
        return NotImplemented
    rows = xp.ascontiguousarray(rows)
    shape, chunk = by_column(*rows.shape)
    partial = xp.empty((shape[0][1], rows.shape[1]), wide(rows))
    launch(xp, "sums.partial_columns", rows.dtype, shape, partial, rows, *rows.shape, chunk)
    return total_columns(xp, partial, xp.empty(rows.shape[1:], rows.dtype))


def total_columns(xp: Namespace, partial: Array, out: Array) -> Array:
    """Write the sums of the columns of partial sums to an array, and return it."""
    shape, _ = by_column(1, partial.shape[1])
    launch(xp, "sums.total_columns", out.dtype, shape, out, partial, *partial.shape)
    return out


def channel_sum(xp: Namespace, x: Array) -> Any:
    if x.ndim < 2 or not served(x):
        return NotImplemented
    rows = xp.ascontiguousarray(xp.moveaxis(x, 1, -1))  # as a convolution's output lies
    return column_sum(xp, rows.reshape(-1, x.shape[1]))


COLUMN = {
    "block_power_sums": block_power_sums,
    "channel_sum": channel_sum,
    "column_sum": column_sum,
}
