"""Sums, products and extremes of all elements so far, along an axis."""

import math

from distgrad.backend.lacking import running
from distgrad.ops.index import getitem
from distgrad.ops.join import pad
from distgrad.ops.op import op
from distgrad.ops.selection import where

__all__ = [
    "along",
    "cumprod",
    "cumsum",
    "logcumsumexp",
    "prod",
    "recurrence",
    "running_argmax",
    "running_argmin",
]


def along(ndim, axis, part):
    """An index of one axis."""
    return (*(slice(None),) * (axis % ndim), part)


def _reversed(xp, x, axis):
    return getitem(xp, x, index=along(x.ndim, axis, slice(None, None, -1)))


def _shifted(xp, x, axis, by, value):
    """Move the elements on by one place, or back by one, and fill the free place."""
    kept = slice(None, -1) if by > 0 else slice(1, None)
    widths = [(0, 0)] * x.ndim
    widths[axis] = (1, 0) if by > 0 else (0, 1)
    if not x.shape[axis]:
        return x
    x = getitem(xp, x, index=along(x.ndim, axis, kept))
    return pad(xp, x, pad_width=tuple(widths), value=value)


def _backwards(xp, factors, terms, axis):
    """The recurrence from the last place to the first: ``s[i] = terms[i] + f[i + 1] s[i + 1]``."""
    factors = _reversed(xp, _shifted(xp, factors, axis, -1, 0), axis)
    sums = recurrence(xp, factors, _reversed(xp, terms, axis), axis=axis)
    return _reversed(xp, sums, axis)


@op
def recurrence(xp, factors, terms, /, axis):
    """``y[i] = factors[i] * y[i - 1] + terms[i]`` along the axis, from ``y[-1] = 0`` on."""
    y = terms.copy()
    f, y_moved = xp.moveaxis(factors, axis, 0), xp.moveaxis(y, axis, 0)
    for place in range(1, len(y_moved)):
        y_moved[place] += f[place] * y_moved[place - 1]
    return y


@recurrence.rule("factors")
def _(xp, g, factors, y, axis):
    return _backwards(xp, factors, g, axis) * _shifted(xp, y, axis, 1, 0)


@recurrence.rule("terms")
def _(xp, g, factors, axis):
    return _backwards(xp, factors, g, axis)


@op
def cumsum(xp, x, /, axis):
    return xp.cumsum(x, axis=axis)


@cumsum.rule("x")
def _(xp, g, axis):
    return _reversed(xp, cumsum(xp, _reversed(xp, g, axis), axis=axis), axis)


@op
def cumprod(xp, x, /, axis):
    return xp.cumprod(x, axis=axis)


@cumprod.rule("x")
def _(xp, g, x, y, axis):
    # The product before each place, and what it meets behind: no division, so zeros do no harm.
    return _shifted(xp, y, axis, 1, 1) * _backwards(xp, x, g, axis)


@op
def prod(xp, x, /, axis=None, keepdims=False):
    return xp.prod(x, axis=axis, keepdims=keepdims)


@prod.rule("x")
def _(xp, g, x, x_shape, axis):
    """Times the product of all others: of those before, and of those behind."""
    if axis is None:
        x, kept, axis = xp.reshape(x, (math.prod(x_shape),)), (1,) * len(x_shape), 0
    else:
        kept = tuple(1 if i == axis % len(x_shape) else n for i, n in enumerate(x_shape))
    before = _shifted(xp, cumprod(xp, x, axis=axis), axis, 1, 1)
    behind = cumprod(xp, _reversed(xp, x, axis), axis=axis)
    behind = _shifted(xp, _reversed(xp, behind, axis), axis, -1, 1)
    return xp.reshape(g, kept) * xp.reshape(before * behind, x_shape)


@op
def logcumsumexp(xp, x, /, axis):
    """``log(cumsum(exp(x)))``, computed without overflow."""
    return running(xp, x, operation="logaddexp", axis=axis)


@logcumsumexp.rule("x")
def _(xp, g, x, y, axis):
    before = _shifted(xp, y, axis, 1, -math.inf)
    # Each factor is at most 1. Equal ones may be infinite, and have no difference then.
    factors = where(xp, before == y, 1, xp.exp(before - y))
    own = where(xp, x == y, 1, xp.exp(x - y))
    return own * _backwards(xp, factors, g, axis)


def _places_of_last(xp, x, extreme, axis):
    """For each place where the running extreme was met last; nan is met by nan."""
    place = xp.arange(x.shape[axis]).reshape(-1, *(1,) * (x.ndim - axis % x.ndim - 1))
    met = (x == extreme) | (x != x)
    return running(xp, xp.where(met, place, 0), operation="maximum", axis=axis)


@op
def running_argmax(xp, x, /, axis):
    """The place of the largest element so far: of equal ones the last."""
    return _places_of_last(xp, x, running(xp, x, operation="maximum", axis=axis), axis)


@op
def running_argmin(xp, x, /, axis):
    """The place of the smallest element so far: of equal ones the last."""
    return _places_of_last(xp, x, running(xp, x, operation="minimum", axis=axis), axis)
