"""Activations of neural networks."""

import math

import numpy as np

from distgrad.ops.op import op


@op
def sigmoid(xp, x):
    """``1 / (1 + exp(-x))``."""
    with np.errstate(over="ignore"):  # far to the left the exponential is infinite, and y is 0
        return 1 / (1 + xp.exp(-x))


@sigmoid.rule("x")
def _(xp, g, y):
    return g * (y * (1 - y))


@op
def softmax(xp, x, /, axis):
    """``exp(x)`` over its sum along ``axis``, computed without overflow."""
    y = xp.exp(x - xp.max(x, axis=axis, keepdims=True, initial=-math.inf))
    y /= xp.sum(y, axis=axis, keepdims=True)
    return y


@softmax.rule("x")
def _(xp, g, y, axis):
    weighted = g * y
    return weighted - y * xp.sum(weighted, axis=axis, keepdims=True)
