"""Indexing in all of NumPy's forms, its adjoint, and writing at an index."""

from types import EllipsisType

import numpy as np

from distgrad.backend.lacking import add_at, set_at
from distgrad.ops.op import op


def _is_basic(index):
    """Whether the index names no element twice, so that its adjoint may assign."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(p, int | np.integer | slice | EllipsisType | None) for p in parts)


@op(view=True, moves=True)
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
    _add_at(xp, y, index, values)
    return y


@put.rule("values")
def _(xp, g, index):
    return getitem(xp, g, index=index)


def _add_at(xp, y, index, values):
    """Add in place, in the order of the index, so that equal calls give equal bits."""
    if _is_basic(index):
        y[index] += values
    else:
        add_at(xp, y, values, index=index)


@op
def accumulate(xp, x, values, /, index):
    """A copy of ``x`` with ``values`` added at ``index``; where it repeats, all are added."""
    y = xp.array(x)  # also of a gradient that is a single number
    _add_at(xp, y, index, values)
    return y


@accumulate.rule("x")
def _(xp, g):
    return g


@accumulate.rule("values")
def _(xp, g, index):
    return getitem(xp, g, index=index)


@op
def assign(xp, x, values, /, index):
    """A copy of ``x`` with ``values`` at ``index``; where it repeats, the last one stays."""
    y = xp.array(x)
    set_at(xp, y, values, index)
    return y


@assign.rule("x")
def _(xp, g, index):
    return assign(xp, g, 0, index=index)


@assign.rule("values")
def _(xp, g, index):
    return getitem(xp, g, index=index)


def follow(xp, x, steps):
    """Return the view to which ops with their attributes lead from ``x``."""
    for view_op, attributes in steps:
        x = view_op(xp, x, **attributes)
    return x


@op
def assign_view(xp, x, values, /, steps):
    """A copy of ``x`` with ``values`` in the view to which ``steps`` lead."""
    y = xp.array(x, order="C")
    # The places are followed, not y: what is a view of x may be a copy of y, whose strides differ.
    places = follow(xp, xp.arange(x.size).reshape(x.shape), steps)
    y.reshape(-1)[places] = values
    return y


@assign_view.rule("x")
def _(xp, g, steps):
    return assign_view(xp, g, 0, steps=steps)


@assign_view.rule("values")
def _(xp, g, steps):
    return follow(xp, g, steps)
