"""Activations of neural networks."""

import math

from distgrad.backend.lacking import largest
from distgrad.ops.op import op


@op
def sigmoid(xp, x):
    """``1 / (1 + exp(-x))``."""
    return 1 / (1 + xp.exp(-x))


@sigmoid.rule("x")
def _(xp, g, y):
    return g * (y * (1 - y))


@op(kernel=True)
def softmax(xp, x, /, axis):
    """``exp(x)`` over its sum along ``axis``, computed without overflow."""
    y = xp.exp(x - largest(xp, x, axis, -math.inf))
    y /= xp.sum(y, axis=axis, keepdims=True)
    return y


@softmax.rule("x")
def _(xp, g, y, axis):
    return softmax_x(xp, g, y, axis=axis)


@op(kernel=True)
def softmax_x(xp, g, p, /, axis):
    """The gradient of `softmax` by its input, where p is its output: ``p * (g - sum(g * p))``."""
    result = g * p
    result -= p * xp.sum(result, axis=axis, keepdims=True)
    return result


@softmax_x.rule("g")
def _(xp, g, p, axis):
    return softmax_x(xp, g, p, axis=axis)


@softmax_x.rule("p")
def _(xp, above, g, p, axis):
    gp, ap = (xp.sum(v * p, axis=axis, keepdims=True) for v in (g, above))
    return above * (g - gp) - g * ap
