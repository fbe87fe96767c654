"""Activations of neural networks."""

import math

import numpy as np

from distgrad.ops.error_function import erf
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
def gelu(xp, x, /, approximate="none"):
    """``x`` times the normal distribution function of ``x``, or of its approximation by tanh.

    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415 (2016).
    """
    return x * _weight(xp, x, approximate)


def _weight(xp, x, approximate):
    """The normal distribution function, exactly or nearly."""
    if approximate == "none":
        return (1 + erf(xp, x * math.sqrt(0.5))) * 0.5
    return (1 + xp.tanh(x * (1 + x * x * _CUBIC) * _LINEAR)) * 0.5


_LINEAR = math.sqrt(2 / math.pi)
_CUBIC = 0.044715


@gelu.rule("x")
def _(xp, g, x, approximate):
    weight = _weight(xp, x, approximate)
    if approximate == "none":
        density = xp.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
    else:
        # tanh' = 1 - tanh ** 2, where tanh = 2 * weight - 1
        density = weight * (1 - weight) * ((1 + x * x * (3 * _CUBIC)) * (2 * _LINEAR))
    return g * (weight + x * density)


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
