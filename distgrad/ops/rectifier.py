"""Activations made of pieces, each with its slope; at a kink PyTorch's choice."""

from distgrad.ops.activation import sigmoid
from distgrad.ops.op import op
from distgrad.ops.selection import where


@op
def leaky_relu(xp, x, /, slope=0.01):
    return xp.where(x > 0, x, x * slope)


@leaky_relu.rule("x")
def _(xp, g, x, slope):
    return where(xp, x > 0, g, g * slope)


@op
def elu(xp, x, /, alpha=1.0, scale=1.0, inner=1.0):
    """``scale * x`` to the right of 0, and ``scale * alpha * (exp(inner * x) - 1)`` to the left.

    D. Clevert et al., "Fast and accurate deep network learning by exponential linear units",
    arXiv:1511.07289 (2015).
    """
    left = xp.expm1(xp.minimum(x, 0) * inner) * (alpha * scale)
    return xp.where(x > 0, x * scale, left)


@elu.rule("x")
def _(xp, g, x, alpha, scale, inner):
    left = xp.exp(where(xp, x < 0, x, 0) * inner) * (alpha * scale * inner)
    return g * where(xp, x <= 0, left, scale)


@op
def hardtanh(xp, x, /, low=-1.0, high=1.0):
    return xp.minimum(xp.maximum(x, low), high)


@hardtanh.rule("x")
def _(xp, g, x, low, high):
    return where(xp, (x <= low) | (x >= high), 0, g)


@op
def hardsigmoid(xp, x):
    """A line from 0 at -3 to 1 at 3, bounded by both."""
    return xp.minimum(xp.maximum(x + 3, 0), 6) / 6


@hardsigmoid.rule("x")
def _(xp, g, x):
    return where(xp, (x > -3) & (x < 3), g / 6, 0)


@op
def hardswish(xp, x):
    """``x`` times its `hardsigmoid`.

    A. Howard et al., "Searching for MobileNetV3", ICCV 2019.
    """
    return x * xp.minimum(xp.maximum(x + 3, 0), 6) / 6


@hardswish.rule("x")
def _(xp, g, x):
    return where(xp, x <= -3, 0, where(xp, x < 3, g * (x / 3 + 0.5), g))


@op
def hardshrink(xp, x, /, lambd=0.5):
    return xp.where((x >= -lambd) & (x <= lambd), 0, x)


@hardshrink.rule("x")
def _(xp, g, x, lambd):
    return where(xp, (x >= -lambd) & (x <= lambd), 0, g)


@op
def softshrink(xp, x, /, lambd=0.5):
    return xp.where(x > lambd, x - lambd, xp.where(x < -lambd, x + lambd, x * 0))


@softshrink.rule("x")
def _(xp, g, x, lambd):
    return where(xp, (x >= -lambd) & (x <= lambd), 0, g)


@op
def threshold(xp, x, /, threshold, value):
    return xp.where(x <= threshold, value, x)


@threshold.rule("x")
def _(xp, g, x, threshold):
    return where(xp, x <= threshold, 0, g)


@op
def softplus(xp, x, /, beta=1.0, threshold=20.0):
    """``log(1 + exp(beta * x)) / beta``; where ``beta * x`` is above the threshold, ``x``."""
    scaled = x * beta
    curve = xp.log1p(xp.exp(xp.minimum(scaled, threshold))) / beta
    return xp.where(scaled > threshold, x, curve)


@softplus.rule("x")
def _(xp, g, x, beta, threshold):
    scaled = x * beta
    return where(xp, scaled > threshold, g, g * sigmoid(xp, scaled))


@op
def log_sigmoid(xp, x):
    """``log(sigmoid(x))``, computed without overflow."""
    return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.absolute(x)))


@log_sigmoid.rule("x")
def _(xp, g, x):
    return g * sigmoid(xp, -x)
