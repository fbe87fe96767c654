"""Losses, each one op from scores to a number (or to one number per sample)."""

import math

import numpy as np

from distgrad.backend import array_namespace
from distgrad.ops.op import op
from distgrad.ops.selection import maximum, where


def _log_softmax(xp, x, axis):
    shifted = x - xp.max(x, axis=axis, keepdims=True, initial=-math.inf)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


@op
def log_softmax(xp, x, /, axis):
    return _log_softmax(xp, x, axis)


@log_softmax.rule("x")
def _(xp, g, y, axis):
    return g - xp.exp(y) * xp.sum(g, axis=axis, keepdims=True)


def _picks(target, classes, axis, ignore_index, dtype):
    """A one-hot array of the targets along ``axis``; ignored ones are all zeros."""
    xp = array_namespace(target)
    shape = [1] * (target.ndim + 1)
    shape[axis] = classes
    onehot = xp.expand_dims(target, axis) == xp.reshape(xp.arange(classes), tuple(shape))
    kept = xp.expand_dims(target != ignore_index, axis)
    return (onehot & kept).astype(dtype)


def _check_targets(name, target, classes, ignore_index):
    bad = (target != ignore_index) & ((target < 0) | (target >= classes))
    if bad.any():
        place = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
        raise IndexError(
            f"{name}: target {int(target[place])} at index {place} is out of range for "
            f"{classes} classes; use 0 to {classes - 1}, or ignore_index={ignore_index} for "
            "positions without a target"
        )


def _weights(target, ignore_index, weight):
    """How much each target counts: 0 for ignored ones, else the weight of its class, or 1."""
    kept = target != ignore_index
    return kept if weight is None else weight[target * kept] * kept


def _likelihood_loss(name, xp, log_p, target, axis, reduction, ignore_index, weight):
    """The sum or mean of -log_p at the targets along ``axis``, or each of them."""
    _check_targets(name, target, log_p.shape[axis], ignore_index)
    kept = target != ignore_index
    place = xp.expand_dims(target * kept, axis)
    loss = -xp.take_along_axis(log_p, place, axis).reshape(target.shape)
    if weight is not None:
        loss = loss * xp.asarray(_weights(target, ignore_index, weight), log_p.dtype)
    # Not a product with `kept`: the score of an ignored place may be infinite.
    loss = xp.where(kept, loss, 0)
    if reduction == "none":
        return loss
    total = xp.sum(loss)
    return total / _total_weight(target, ignore_index, weight) if reduction == "mean" else total


def _total_weight(target, ignore_index, weight):
    return float(_weights(target, ignore_index, weight).sum()) or math.nan


def _above_each_target(xp, g, target, axis, reduction, ignore_index, weight):
    """The gradient of each target's loss, 0 for ignored ones, ready to broadcast."""
    own = array_namespace(target)
    counts = own.expand_dims(_weights(target, ignore_index, weight), axis)
    if reduction == "none":
        g = xp.reshape(g, counts.shape)
    elif reduction == "mean":
        g = g / _total_weight(target, ignore_index, weight)
    # No product with 0: where all targets are ignored the mean is nan, but nothing depends on it.
    return where(xp, own.expand_dims(target != ignore_index, axis), g * counts, 0)


@op
def cross_entropy(xp, x, /, target, axis, reduction, ignore_index, weight=None):
    """Negative log likelihood of integer targets under the softmax of ``x`` along ``axis``.

    ``weight`` holds how much a target of each class counts, in the sum and in the mean.
    """
    log_p = _log_softmax(xp, x, axis)
    how = axis, reduction, ignore_index, weight
    return _likelihood_loss("cross_entropy", xp, log_p, target, *how)


@cross_entropy.rule("x")
def _(xp, g, x, target, axis, reduction, ignore_index, weight):
    onehot = _picks(target, x.shape[axis], axis, ignore_index, x.dtype)
    above = _above_each_target(xp, g, target, axis, reduction, ignore_index, weight)
    return (xp.exp(log_softmax(xp, x, axis=axis)) - onehot) * above


@op
def nll_loss(xp, x, /, target, axis, reduction, ignore_index, weight=None):
    """Negative log likelihood of integer targets, ``x`` being log probabilities."""
    how = axis, reduction, ignore_index, weight
    return _likelihood_loss("nll_loss", xp, x, target, *how)


@nll_loss.rule("x")
def _(xp, g, x_shape, target, axis, reduction, ignore_index, weight):
    onehot = _picks(target, x_shape[axis], axis, ignore_index, g.dtype)
    return -_above_each_target(xp, g, target, axis, reduction, ignore_index, weight) * onehot


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


@op
def mse_loss(xp, x, target, /, reduction):
    """Squared difference, elementwise, summed or averaged over all elements."""
    difference = x - target
    loss = difference * difference
    if reduction == "none":
        return loss
    total = xp.sum(loss)
    return total / (loss.size or math.nan) if reduction == "mean" else total


def _mse_slope(g, x, target, reduction):
    difference = x - target
    if reduction == "mean":
        g = g / (math.prod(difference.shape) or math.nan)
    return g * (2 * difference)


@mse_loss.rule("x")
def _(xp, g, x, target, reduction):
    return _mse_slope(g, x, target, reduction)


@mse_loss.rule("target")
def _(xp, g, x, target, reduction):
    return -_mse_slope(g, x, target, reduction)
