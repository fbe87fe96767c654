"""Indexing in all of NumPy's forms, and its adjoint."""

from types import EllipsisType

import numpy as np

from distgrad.ops.op import op


def _is_basic(index):
    """Whether the index names no element twice, so that its adjoint may assign."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(p, int | np.integer | slice | EllipsisType | None) for p in parts)


@op(view=True)
def getitem(xp, x, /, index):
    y = x[index]
    if isinstance(y, np.generic) and _is_basic(index):
        # NumPy copies a single element out; with an ellipsis it gives a view of it.
        return x[(*index, ...)] if isinstance(index, tuple) else x[index, ...]
    return y


@getitem.rule("x")
def _(xp, g, index, x_shape):
    return put(xp, g, index=index, shape=x_shape)


@op
def put(xp, values, /, index, shape):
    """Add ``values`` at ``index`` of an array of zeros: the adjoint of `getitem`."""
    y = xp.zeros(shape, values.dtype)
    if _is_basic(index):
        y[index] = values
    else:
        xp.add.at(y, index, values)
    return y


@put.rule("values")
def _(xp, g, index):
    return getitem(xp, g, index=index)
