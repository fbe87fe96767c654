"""Reductions over all axes or over some of them."""

import math

from distgrad.backend.lacking import largest, running
from distgrad.backend.numbers import spread
from distgrad.ops.op import op
from distgrad.ops.rounding import zeros_like


def _reduced_axes(ndim, axis):
    if axis is None or not ndim:  # the axis of a 0-d array, 0 or -1, is none
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
    return x.sum(axis, keepdims=keepdims)


@sum.rule("x")
def _(xp, g, x_shape, axis):
    g = g if axis is None else xp.reshape(g, _kept_shape(x_shape, axis))
    return spread(xp, g, x_shape)


@op
def mean(xp, x, /, axis=None, keepdims=False):
    # A mean over nothing is nan, as in PyTorch, without NumPy's warning.
    return xp.sum(x, axis=axis, keepdims=keepdims) / (_count(x.shape, axis) or math.nan)


@mean.rule("x")
def _(xp, g, x_shape, axis):
    g = xp.reshape(g, _kept_shape(x_shape, axis)) / (_count(x_shape, axis) or 1)
    return xp.broadcast_to(g, x_shape)


@op
def var(xp, x, /, axis=None, correction=1, keepdims=False):
    """Squared distances from the mean: their sum over ``n - correction``."""
    distance = x - mean(xp, x, axis=axis, keepdims=True)
    total = xp.sum(distance * distance, axis=axis, keepdims=keepdims)
    # Of too few elements it is nan or infinite, as the division of an array by 0 says.
    return total / xp.asarray(max(_freedom(x.shape, axis, correction), 0), x.dtype)


def _freedom(shape, axis, correction):
    return _count(shape, axis) - correction


@var.rule("x")
def _(xp, g, x, x_shape, axis, correction):
    g = xp.reshape(g, _kept_shape(x_shape, axis)) * (
        2 / (_freedom(x_shape, axis, correction) or math.nan)
    )
    return g * (x - mean(xp, x, axis=axis, keepdims=True))


@op
def std(xp, x, /, axis=None, correction=1, keepdims=False):
    """The square root of the variance."""
    return xp.sqrt(var.forward(xp, x, axis, correction, keepdims))


@std.rule("x")
def _(xp, g, x, y, x_shape, axis, correction):
    kept = _kept_shape(x_shape, axis)
    # Where all elements are equal the subgradient 0 is taken: their distances over 1.
    scale = (xp.reshape(y, kept) + xp.reshape(y == 0, kept)) * _freedom(x_shape, axis, correction)
    return xp.reshape(g, kept) / scale * (x - mean(xp, x, axis=axis, keepdims=True))


@op
def logsumexp(xp, x, /, axis, keepdims=False):
    """``log(sum(exp(x)))``, computed without overflow."""
    top = largest(xp, x, axis, -math.inf)
    top = xp.where(xp.isfinite(top), top, 0)
    y = xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=keepdims))
    return y + (top if keepdims else xp.squeeze(top, axis))


@logsumexp.rule("x")
def _(xp, g, x, y, x_shape, axis):
    kept = _kept_shape(x_shape, axis)
    return xp.reshape(g, kept) * xp.exp(x - xp.reshape(y, kept))


@op
def amax(xp, x, /, axis=None, keepdims=False, share_nan=False):
    return xp.max(x, axis=axis, keepdims=keepdims)


def _among_equals(xp, g, x, y, x_shape, axis, share_nan):
    """Equal extremes share the gradient evenly; of an extreme that is nan, it is nan or shared."""
    kept = _kept_shape(x_shape, axis)
    y = xp.reshape(y, kept)
    chosen = x == y
    if share_nan:
        chosen = chosen | ((x != x) & (y != y))
    chosen = chosen.astype(g.dtype)
    return xp.reshape(g, kept) * chosen / xp.sum(chosen, axis=axis, keepdims=True)


@amax.rule("x")
def _(xp, g, x, y, x_shape, axis, share_nan):
    return _among_equals(xp, g, x, y, x_shape, axis, share_nan)


@op
def amin(xp, x, /, axis=None, keepdims=False, share_nan=False):
    return xp.min(x, axis=axis, keepdims=keepdims)


@amin.rule("x")
def _(xp, g, x, y, x_shape, axis, share_nan):
    return _among_equals(xp, g, x, y, x_shape, axis, share_nan)


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
def vector_norm(xp, x, /, ord, axis=None, keepdims=False):
    """``sum(abs(x) ** ord) ** (1 / ord)``; 0 counts what is not 0."""
    if ord == 0:
        return xp.sum(x != 0, axis=axis, keepdims=keepdims, dtype=x.dtype)
    return xp.sum(xp.absolute(x) ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)


@vector_norm.rule("x")
def _(xp, g, x, y, x_shape, ord, axis):
    if ord == 0:
        return zeros_like(xp, x)
    y = xp.reshape(y, _kept_shape(x_shape, axis))
    # Where an element or the norm is 0 the slope is taken as 0: keep powers of 0 out of it.
    size = xp.absolute(x)
    slope = xp.sign(x) * (size + (size == 0)) ** (ord - 1)
    return xp.reshape(g, y.shape) * (slope * (y + (y == 0)) ** (1 - ord))


@op
def median(xp, x):
    """The middle one of all elements, or the lower one of the two in the middle."""
    if not x.size:
        return xp.asarray(math.nan, x.dtype)
    return x.reshape(-1)[argmedian.forward(xp, x.reshape(-1), axis=0)]


@median.rule("x")
def _(xp, g, x, y, x_shape):
    return _among_equals(xp, g, x, y, x_shape, None, share_nan=True)


@op
def argmedian(xp, x, /, axis, keepdims=False):
    """The place of the lower middle element along the axis; of nan if there is one."""
    order = xp.argsort(x, axis=axis, kind="stable")
    middle = xp.take(order, xp.asarray([(x.shape[axis] - 1) // 2]), axis=axis)
    bad = x != x
    place = xp.where(
        xp.any(bad, axis=axis, keepdims=True), xp.argmax(bad, axis=axis, keepdims=True), middle
    )
    return place if keepdims else xp.squeeze(place, axis)


@op
def argmax(xp, x, /, axis=None, keepdims=False):
    return xp.argmax(x, axis=axis, keepdims=keepdims)


@op
def argmin(xp, x, /, axis=None, keepdims=False):
    return xp.argmin(x, axis=axis, keepdims=keepdims)


@op
def all(xp, x, /, axis=None, keepdims=False):
    return xp.all(x, axis=axis, keepdims=keepdims)


@op
def any(xp, x, /, axis=None, keepdims=False):
    return xp.any(x, axis=axis, keepdims=keepdims)


@op
def argnanmedian(xp, x, /, axis, keepdims=False):
    """The place of the lower middle one of the elements along the axis that are not nan."""
    order = xp.argsort(x, axis=axis, kind="stable")
    numbers = xp.sum(x == x, axis=axis, keepdims=True)
    place = xp.take_along_axis(order, xp.maximum(numbers - 1, 0) // 2, axis=axis)
    return place if keepdims else xp.squeeze(place, axis)


@op
def argmode(xp, x, /, axis, keepdims=False):
    """The last place of the most frequent element along the axis, of several the smallest."""
    order = xp.argsort(x, axis=axis, kind="stable")
    ordered = xp.moveaxis(xp.take_along_axis(x, order, axis=axis), axis, -1)
    place = xp.arange(ordered.shape[-1])
    begins = xp.ones(ordered.shape, bool)
    begins[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    first = running(xp, xp.where(begins, place, 0), operation="maximum", axis=-1)
    longest = xp.moveaxis(xp.argmax(place - first, axis=-1)[..., None], -1, axis)
    found = xp.take_along_axis(order, longest, axis=axis)
    return found if keepdims else xp.squeeze(found, axis)
