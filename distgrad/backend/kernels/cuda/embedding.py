"""The gradient of an embedding."""

from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import by_place, by_warp, launch, served

__all__ = ["COLUMN"]

_ROWS = 8  # of the table, that a warp looks for
_MOST = 1 << 34  # comparisons of an index with a row: some milliseconds


def embedding_table(
    xp: Namespace,
    above: Array,
    indices: Array,
    padding: int | None,
    rows: int,
    by_frequency: bool = False,
) -> Any:
    if not served(above) or rows * indices.size > _MOST:
        return NotImplemented
    shape = above.shape[indices.ndim :]
    flat = xp.ascontiguousarray(indices.reshape(-1).astype("int64", copy=False))
    order, starts, counts = _places(xp, flat, rows)
    table = xp.empty((rows, *shape), above.dtype)
    width = above.size // flat.size
    arrays = table, xp.ascontiguousarray(above), order, starts, counts
    how = -1 if padding is None else padding, int(by_frequency), width
    kernel = "embedding.embedding_table"
    launch(xp, kernel, above.dtype, by_place(above, rows, width), *arrays, *how)
    return table


def _places(xp: Namespace, indices: Array, rows: int) -> tuple[Array, Array, Array]:
    """Return the places of the indices sorted by row; where each row begins there, and how many."""
    counts, order = xp.empty(rows, "int64"), xp.empty(indices.size, "int64")
    given = indices, indices.size, rows
    kernel, kind, shape = "embedding.places", np.dtype("float32"), by_warp(rows, _ROWS)
    launch(xp, kernel, kind, shape, counts, None, None, *given)
    starts = xp.ascontiguousarray(xp.cumsum(counts) - counts)
    launch(xp, kernel, kind, shape, counts, order, starts, *given)
    return order, starts, counts


COLUMN = {"embedding_table": embedding_table}
