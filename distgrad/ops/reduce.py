"""Reductions over all axes or over some of them."""

import math

from distgrad.ops.op import op


def _reduced_axes(ndim, axis):
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % ndim for a in axes)


def _kept_shape(shape, axis):
    """The shape of a reduction that keeps the reduced axes with length 1."""
    reduced = _reduced_axes(len(shape), axis)
    return tuple(1 if i in reduced else n for i, n in enumerate(shape))


def _count(shape, axis):
    return math.prod(shape[a] for a in _reduced_axes(len(shape), axis))


@op
def sum(xp, x, /, axis=None, keepdims=False):
    return xp.sum(x, axis=axis, keepdims=keepdims)


@sum.rule("x")
def _(xp, g, x_shape, axis):
    return xp.broadcast_to(xp.reshape(g, _kept_shape(x_shape, axis)), x_shape)


@op
def mean(xp, x, /, axis=None, keepdims=False):
    # A mean over nothing is nan, as in PyTorch, without NumPy's warning.
    return xp.sum(x, axis=axis, keepdims=keepdims) / (_count(x.shape, axis) or math.nan)


@mean.rule("x")
def _(xp, g, x_shape, axis):
    g = xp.reshape(g, _kept_shape(x_shape, axis)) / (_count(x_shape, axis) or 1)
    return xp.broadcast_to(g, x_shape)


@op
def amax(xp, x, /, axis=None, keepdims=False):
    return xp.max(x, axis=axis, keepdims=keepdims)


@amax.rule("x")
def _(xp, g, x, y, x_shape, axis):
    """Equal maxima share the gradient evenly."""
    kept = _kept_shape(x_shape, axis)
    chosen = (x == xp.reshape(y, kept)).astype(g.dtype)
    return xp.reshape(g, kept) * chosen / xp.sum(chosen, axis=axis, keepdims=True)


@op
def norm(xp, x, /, axis=None, keepdims=False):
    """The Euclidean norm."""
    return xp.sqrt(xp.sum(x * x, axis=axis, keepdims=keepdims))


@norm.rule("x")
def _(xp, g, x, y, x_shape, axis):
    kept = _kept_shape(x_shape, axis)
    y = xp.reshape(y, kept)
    # At the zero vector the subgradient 0 is taken: x / 1.
    return xp.reshape(g, kept) * (x / (y + (y == 0)))


@op
def argmax(xp, x, /, axis=None, keepdims=False):
    return xp.argmax(x, axis=axis, keepdims=keepdims)


@op
def all(xp, x, /, axis=None, keepdims=False):
    return xp.all(x, axis=axis, keepdims=keepdims)


@op
def any(xp, x, /, axis=None, keepdims=False):
    return xp.any(x, axis=axis, keepdims=keepdims)
