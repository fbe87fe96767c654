"""Rows of a table by number, and the adjoint."""

import numpy as np

from distgrad.ops.op import op


@op
def embedding(xp, table, /, indices, padding=None):
    """The rows of ``table`` at ``indices``; the row ``padding`` gets no gradient."""
    _check_indices(indices, len(table))
    return table[indices]


@embedding.rule("table")
def _(xp, g, indices, padding, table_shape):
    return embedding_table(xp, g, indices=indices, padding=padding, rows=table_shape[0])


@op
def embedding_table(xp, above, /, indices, padding, rows):
    """The gradient of `embedding` by its table: for each row the sum over where it was taken.

    The order of the terms is that of the indices, so that equal calls give equal bits.
    """
    flat = indices.reshape(-1)
    width = above.shape[indices.ndim :]
    table = xp.zeros((rows, *width), above.dtype)
    order = xp.argsort(flat, kind="stable")
    if padding is not None:
        order = order[flat[order] != padding]
    if len(order):
        taken = flat[order]
        first = xp.flatnonzero(xp.concatenate([xp.ones(1, bool), taken[1:] != taken[:-1]]))
        values = above.reshape(len(flat), *width)[order]
        table[taken[first]] = xp.add.reduceat(values, first, axis=0)
    return table


@embedding_table.rule("above")
def _(xp, g, indices, padding):
    taken = embedding(xp, g, indices=indices)
    if padding is None:
        return taken
    kept = (indices != padding).reshape(*indices.shape, *(1,) * (g.ndim - 1))
    return taken * kept.astype(g.dtype)


def _check_indices(indices, rows):
    bad = (indices < 0) | (indices >= rows)
    if bad.any():
        place = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
        raise IndexError(
            f"embedding: index {int(indices[place])} at position {place} is out of range for a "
            f"table of {rows} rows; use 0 to {rows - 1}"
        )
