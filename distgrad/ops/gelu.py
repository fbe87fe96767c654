"""The Gaussian error linear unit, exact or by tanh, and its derivatives.

D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415 (2016).
"""

import math

from distgrad.ops.blocks import in_blocks
from distgrad.ops.error_function import erf
from distgrad.ops.op import op

_ROOT_HALF = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)
_LINEAR = math.sqrt(2 / math.pi)
_CUBIC = 0.044715


@op(kernel=True)
def gelu(xp, x, /, approximate="none"):
    """``x`` times the normal distribution function of ``x``, or of its approximation by tanh."""
    return in_blocks(xp, lambda x: x * _weight(xp, x, approximate), x)


@gelu.rule("x")
def _(xp, g, x, approximate):
    return gelu_x(xp, g, x, approximate=approximate)


@op(kernel=True)
def gelu_x(xp, g, x, /, approximate):
    """``g`` times the derivative of `gelu` at ``x``."""
    return in_blocks(xp, lambda g, x: g * _slope(xp, x, approximate), g, x)


@gelu_x.rule("g")
def _(xp, g, x, approximate):
    return gelu_x(xp, g, x, approximate=approximate)


@gelu_x.rule("x")
def _(xp, above, g, x, approximate):
    return above * g * _curvature(xp, x, approximate)


# The passes over a block write where the one before wrote: what they touch stays in the cache.


def _weight(xp, x, approximate):
    """The normal distribution function, exactly or nearly."""
    weight = erf(xp, x * _ROOT_HALF) if approximate == "none" else _tanh(xp, x)
    weight += 1
    weight *= 0.5
    return weight


def _tanh(xp, x):
    inner = x * x
    inner *= _CUBIC
    inner += 1
    inner *= x
    inner *= _LINEAR
    return xp.tanh(inner)


def _slope(xp, x, approximate):
    weight = _weight(xp, x, approximate)
    slope = x * x
    if approximate == "none":
        slope *= -0.5
        slope = xp.exp(slope)
        slope *= _DENSITY
    else:
        # tanh' = 1 - tanh ** 2, where tanh = 2 * weight - 1
        slope *= 3 * _CUBIC
        slope += 1
        slope *= 2 * _LINEAR
        slope *= weight * (1 - weight)
    slope *= x
    slope += weight
    return slope


def _curvature(xp, x, approximate):
    if approximate == "none":
        return xp.exp(x * x * -0.5) * _DENSITY * (2 - x * x)
    inner = (1 + x * x * (3 * _CUBIC)) * _LINEAR  # the derivative of what tanh is taken of
    tanh = xp.tanh(x * (1 + x * x * _CUBIC) * _LINEAR)
    return (1 - tanh * tanh) * (inner - x * tanh * inner * inner + x * x * (3 * _CUBIC * _LINEAR))
