"""Rows of a table by number, and the adjoint."""

from distgrad.backend import Array, array_namespace, to_host
from distgrad.backend.lacking import first_true, segment_sums
from distgrad.ops.op import op

__all__ = ["check_indices", "embedding", "embedding_table"]


@op(moves=True)
def embedding(xp, table, /, indices, padding=None, by_frequency=False):
    """The rows of ``table`` at ``indices``; the row ``padding`` gets no gradient.

    ``by_frequency``: the gradient of a row is divided by how often it was taken.
    """
    check_indices(indices, len(table))
    return table[indices]


@embedding.rule("table")
def _(xp, g, indices, padding, by_frequency, table_shape):
    given = {"indices": indices, "padding": padding, "by_frequency": by_frequency}
    return embedding_table(xp, g, rows=table_shape[0], **given)


@op(kernel=True)
def embedding_table(xp, above, /, indices, padding, rows, by_frequency=False):
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
        sums = segment_sums(xp, values, first)
        if by_frequency:
            sums /= xp.diff(first, append=len(taken)).astype(sums.dtype)[:, None]
        table[taken[first]] = sums
    return table


@embedding_table.rule("above")
def _(xp, g, indices, padding, by_frequency):
    taken = embedding(xp, g, indices=indices)
    if padding is None and not by_frequency:
        return taken
    factors = (indices != (-1 if padding is None else padding)).astype(g.dtype)
    if by_frequency:
        counts = array_namespace(indices).bincount(indices.reshape(-1), minlength=1)
        factors /= counts[indices].astype(g.dtype)
    return taken * factors.reshape(*indices.shape, *(1,) * (g.ndim - 1))


def check_indices(indices: Array, rows: int) -> None:
    """Refuse a number that names no row."""
    place = first_true((indices < 0) | (indices >= rows))
    if place is not None:
        raise IndexError(
            f"embedding: index {int(to_host(indices[place]))} at position {place} is out of range "
            f"for a table of {rows} rows; use 0 to {rows - 1}"
        )
