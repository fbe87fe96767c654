"""The gradient of an embedding, by a stable sort of the indices."""

from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import by_place, launch, served

__all__ = ["COLUMN"]


def embedding_table(
    xp: Namespace,
    above: Array,
    indices: Array,
    padding: int | None,
    rows: int,
    by_frequency: bool = False,
) -> Any:
    if not served(above):
        return NotImplemented
    shape = above.shape[indices.ndim :]
    flat = xp.ascontiguousarray(indices.reshape(-1).astype("int64", copy=False))
    above = xp.ascontiguousarray(above)
    table = xp.zeros((rows, *shape), above.dtype)
    order = xp.argsort(flat, kind="stable").astype("int64", copy=False)
    width = above.size // flat.size
    how = -1 if padding is None else padding, int(by_frequency)
    arrays = table, above, flat, order
    kernel, shape = "embedding.embedding_table", by_place(above, flat.size, width)
    launch(xp, kernel, above.dtype, shape, *arrays, *how, flat.size, width)
    return table


COLUMN = {"embedding_table": embedding_table}
