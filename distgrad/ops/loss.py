"""Losses, each one op from scores to a number (or to one number per sample)."""

import math

import numpy as np

from distgrad.backend import array_namespace, to_host
from distgrad.backend.lacking import first_true, is_anything_true, largest
from distgrad.ops.activation import softmax_x
from distgrad.ops.exponential import exp
from distgrad.ops.op import op
from distgrad.ops.selection import maximum


def _log_softmax(xp, x, axis):
    shifted = x - largest(xp, x, axis, -math.inf)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


@op
def log_softmax(xp, x, /, axis):
    return _log_softmax(xp, x, axis)


@log_softmax.rule("x")
def _(xp, g, y, axis):
    return g - xp.exp(y) * xp.sum(g, axis=axis, keepdims=True)


def _check_targets(name, target, classes, ignore_index):
    bad = (target < 0) | (target >= classes)
    place = first_true(bad)
    if place is not None:
        place = first_true(bad & (target != ignore_index))
    if place is not None:
        raise IndexError(
            f"{name}: target {int(to_host(target[place]))} at index {place} is out of range for "
            f"{classes} classes; use 0 to {classes - 1}, or ignore_index={ignore_index} for "
            "positions without a target"
        )


def _weights(target, ignore_index, weight):
    """How much each target counts: 0 for ignored ones, else the weight of its class, or 1."""
    kept = target != ignore_index
    return kept if weight is None else weight[target * kept] * kept


def _total(xp, weights, dtype, none):
    """The sum of weights, and a number in its place where that is 0; a GPU is not waited for."""
    total = weights.sum()
    if xp is np:
        return float(total) or none
    return xp.where(total == 0, none, total).astype(dtype)


def _shares(target, reduction, ignore_index, weight, dtype):
    """What the loss at each target counts in the result; 0 for ignored ones."""
    shares = _weights(target, ignore_index, weight).astype(dtype)
    if reduction == "mean":
        # Where all targets are ignored the mean is nan, but nothing depends on it.
        shares /= _total(array_namespace(shares), shares, dtype, 1)
    return shares


def _place(xp, target, ignore_index, along):
    """Where in a matrix the scores of the targets stand; of ignored ones, some score."""
    flat = target.reshape(-1)
    flat = flat * (flat != ignore_index)
    each = xp.arange(len(flat))
    return (each, flat) if along else (flat, each)


def _matrix(xp, x, axis):
    """The scores as a contiguous matrix, and along which of its axes the classes lie.

    Few classes lie along axis 0: what lies along axis 1 is slow to reduce where it is short.
    """
    classes = x.shape[axis]
    along = int(classes >= _MANY)
    others = [place for place in range(x.ndim) if place != axis % x.ndim]
    x = xp.transpose(x, (*others, axis) if along else (axis, *others))
    return xp.ascontiguousarray(x).reshape((-1, classes) if along else (classes, -1)), along


_MANY = 64


def _unmatrix(xp, matrix, shape, axis, along):
    """A matrix of scores in the shape and order that they had."""
    others = [place for place in range(len(shape)) if place != axis % len(shape)]
    order = [*others, axis % len(shape)] if along else [axis % len(shape), *others]
    back = [order.index(place) for place in range(len(shape))]
    return xp.ascontiguousarray(xp.transpose(matrix.reshape([shape[i] for i in order]), back))


def _shifted(xp, matrix, along):
    """The scores less the largest one for each target."""
    return matrix - largest(xp, matrix, along, -math.inf)


def _reduced_loss(xp, losses, target, reduction, ignore_index, weight):
    """The sum or mean of the losses at the targets, or each of them."""
    losses = losses.reshape(target.shape)
    kept = target != ignore_index
    if weight is not None:
        losses = losses * weight[target * kept].astype(losses.dtype, copy=False)
    if is_anything_true(~kept):  # no product: the score of an ignored place may be infinite
        losses = xp.where(kept, losses, 0)
    if reduction == "none":
        return losses
    total = xp.sum(losses)
    if reduction == "sum":
        return total
    return total / _total(xp, _weights(target, ignore_index, weight), total.dtype, math.nan)


@op(kernel=True)
def cross_entropy(xp, x, /, target, axis, reduction, ignore_index, weight=None):
    """Negative log likelihood of integer targets under the softmax of ``x`` along ``axis``.

    ``weight`` holds how much a target of each class counts, in the sum and in the mean.
    """
    _check_targets("cross_entropy", target, x.shape[axis], ignore_index)
    matrix, along = _matrix(xp, x, axis)
    shifted = _shifted(xp, matrix, along)
    picked = shifted[_place(xp, target, ignore_index, along)]
    losses = xp.log(xp.sum(xp.exp(shifted, out=shifted), axis=along)) - picked
    return _reduced_loss(xp, losses, target, reduction, ignore_index, weight)


@cross_entropy.rule("x")
def _(xp, g, x, target, axis, reduction, ignore_index, weight):
    given = {"reduction": reduction, "ignore_index": ignore_index, "weight": weight}
    return cross_entropy_x(xp, g, x, target=target, axis=axis, **given)


@op(kernel=True)
def cross_entropy_x(xp, g, x, /, target, axis, reduction, ignore_index, weight=None):
    """The gradient of `cross_entropy`, whose targets were checked, by the scores."""
    matrix, along = _matrix(xp, x, axis)
    result = _shifted(xp, matrix, along)
    xp.exp(result, out=result)
    shares = _shares(target, reduction, ignore_index, weight, x.dtype)
    above = (g * shares).reshape(-1)
    result *= xp.expand_dims(above / xp.sum(result, axis=along), along)
    result[_place(xp, target, ignore_index, along)] -= above
    ignored = (target == ignore_index).reshape(-1)
    if is_anything_true(ignored):  # no product: the scores of an ignored place may be infinite
        result = xp.where(xp.expand_dims(ignored, along), 0, result)
    return _unmatrix(xp, result, x.shape, axis, along)


@cross_entropy_x.rule("g")
def _(xp, above, x, target, axis, reduction, ignore_index, weight):
    shares = _shares(target, reduction, ignore_index, weight, x.dtype)
    slope = xp.exp(log_softmax(xp, x, axis=axis)) - _picks(target, x.shape[axis], axis, x.dtype)
    return xp.sum(above * slope, axis=axis) * shares


@cross_entropy_x.rule("x")
def _(xp, above, g, x, target, axis, reduction, ignore_index, weight):
    shares = _shares(target, reduction, ignore_index, weight, x.dtype)
    shape = (*target.shape[:axis], 1, *target.shape[axis:])
    p = exp(xp, log_softmax(xp, x, axis=axis))
    return softmax_x(xp, above * xp.reshape(g * shares, shape), p, axis=axis)


def _picks(target, classes, axis, dtype):
    """A one-hot array of the targets along ``axis``; one that is no class is all zeros."""
    xp = array_namespace(target)
    shape = [1] * (target.ndim + 1)
    shape[axis] = classes
    classes = xp.reshape(xp.arange(classes), tuple(shape))
    return (xp.expand_dims(target, axis) == classes).astype(dtype)


@op
def nll_loss(xp, x, /, target, axis, reduction, ignore_index, weight=None):
    """Negative log likelihood of integer targets, ``x`` being log probabilities."""
    _check_targets("nll_loss", target, x.shape[axis], ignore_index)
    place = xp.expand_dims(target * (target != ignore_index), axis)
    losses = -xp.take_along_axis(x, place, axis)
    return _reduced_loss(xp, losses, target, reduction, ignore_index, weight)


@nll_loss.rule("x")
def _(xp, g, x_shape, target, axis, reduction, ignore_index, weight):
    shares = _shares(target, reduction, ignore_index, weight, g.dtype)
    shape = (*target.shape[:axis], 1, *target.shape[axis:])
    picks = _picks(target, x_shape[axis], axis, g.dtype)
    return xp.reshape(g * -shares, shape) * picks


@op
def binary_cross_entropy(xp, x, target):
    """``-target * log(x) - (1 - target) * log(1 - x)``; no logarithm counts as less than -100."""
    yes, no = xp.maximum(xp.log(x), -100), xp.maximum(xp.log1p(-x), -100)
    return (target - 1) * no - target * yes


@binary_cross_entropy.rule("x")
def _(xp, g, x, target):
    return g * ((x - target) / maximum(xp, x * (1 - x), 1e-12))


@binary_cross_entropy.rule("target")
def _(xp, g, x):
    return g * (maximum(xp, xp.log1p(-x), -100) - maximum(xp, xp.log(x), -100))


@op(kernel=True)
def mse_loss(xp, x, target, /, reduction):
    """Squared difference, elementwise, summed or averaged over all elements."""
    difference = x - target
    loss = difference * difference
    if reduction == "none":
        return loss
    total = loss.sum()
    return total / (loss.size or math.nan) if reduction == "mean" else total


@mse_loss.rule("x")
def _(xp, g, x, target, reduction):
    return mse_loss_x(xp, g, x, target, reduction=reduction)


@mse_loss.rule("target")
def _(xp, g, x, target, reduction):
    return -mse_loss_x(xp, g, x, target, reduction=reduction)


@op(kernel=True)
def mse_loss_x(xp, g, x, target, /, reduction):
    """The gradient of `mse_loss` by ``x``."""
    return _twice(g, x - target, reduction)


def _twice(g, difference, reduction):
    if reduction == "mean":
        g = g / (math.prod(difference.shape) or math.nan)
    return g * (2 * difference)


@mse_loss_x.rule("g")
def _(xp, above, x, target, reduction):
    return _twice(above, x - target, reduction)


@mse_loss_x.rule("x")
def _(xp, above, g, reduction):
    return _twice(g, above, reduction)


@mse_loss_x.rule("target")
def _(xp, above, g, reduction):
    return -_twice(g, above, reduction)
