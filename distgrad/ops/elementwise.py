"""Elementwise arithmetic; inputs broadcast."""

import math

from distgrad.backend.numbers import number
from distgrad.ops.op import op
from distgrad.ops.rounding import sign
from distgrad.ops.selection import where, zero_unless


@op
def add(xp, a, b):
    return xp.add(a, b)


@add.rule("a")
def _(xp, g):
    return g


@add.rule("b")
def _(xp, g):
    return g


@op
def subtract(xp, a, b):
    return xp.subtract(a, b)


@subtract.rule("a")
def _(xp, g):
    return g


@subtract.rule("b")
def _(xp, g):
    return -g


@op
def multiply(xp, a, b):
    return xp.multiply(a, b)


@multiply.rule("a")
def _(xp, g, b):
    return g * b


@multiply.rule("b")
def _(xp, g, a):
    return g * a


@op
def divide(xp, a, b):
    return xp.divide(a, b)


@divide.rule("a")
def _(xp, g, b):
    return g / b


@divide.rule("b")
def _(xp, g, a, b):
    return -g * (a / b) / b  # not of y, which may be changed in place, as in PyTorch


@op
def negative(xp, x):
    return xp.negative(x)


@negative.rule("x")
def _(xp, g):
    return -g


@op
def power(xp, x, exponent):
    # Products are several hundred times faster than the general power.
    if type(exponent) in (int, float):
        if exponent == 2:
            return x * x
        if exponent == 3:
            return x * x * x
        if exponent == 0.5:
            return xp.sqrt(x)
    elif hasattr(exponent, "dtype") and exponent.dtype.kind == "i":
        return _whole_power(xp, x, exponent)
    return xp.power(x, exponent)


def _whole_power(xp, x, exponent):
    """A power of whole numbers; the inverse of one is rounded towards 0, as in PyTorch."""
    y = xp.power(x, xp.maximum(exponent, 0))
    sign = 1 - 2 * (exponent % 2)
    return xp.where(exponent < 0, (x == 1) + (x == -1) * sign, y)


@power.rule("x")
def _(xp, g, x, exponent):
    if type(exponent) in (int, float):
        if exponent == 0:
            return g * 0
        if exponent == 2:
            return g * (2 * x)
        return g * (power(xp, x, exponent - 1) * exponent)
    # Where the exponent is 0 the slope is 0, also at x = 0: keep 0 * 0 ** -1 out of it.
    zero = exponent == 0
    return g * (exponent * power(xp, x, exponent - 1 + zero * 1))


@power.rule("exponent")
def _(xp, g, x, exponent, y):
    # At x = 0 the slope is 0, but for negative exponents: the 1 makes the logarithm 0 there.
    return g * (y * xp.log(where(xp, (x == 0) & (exponent >= 0), 1, x)))


@op
def sqrt(xp, x):
    return xp.sqrt(x)


@sqrt.rule("x")
def _(xp, g, y):
    return g / (2 * y)


@op
def square(xp, x):
    return xp.square(x)


@square.rule("x")
def _(xp, g, x):
    return g * (2 * x)


@op
def reciprocal(xp, x):
    return xp.reciprocal(x)


@reciprocal.rule("x")
def _(xp, g, y):
    return -g * (y * y)


@op
def rsqrt(xp, x):
    """``1 / sqrt(x)``."""
    return xp.reciprocal(xp.sqrt(x))


@rsqrt.rule("x")
def _(xp, g, y):
    return g * (-0.5 * (y * y * y))


@op
def relu(xp, x):
    if x.dtype.kind != "f":
        return xp.maximum(x, 0)
    return x.clip(0, math.inf)  # a third of the time of a maximum


@relu.rule("x")
def _(xp, g, y):
    return relu_x(xp, g, y)


@op(kernel=True)
def relu_x(xp, g, out):
    """``g`` where ``out``, that of `relu`, is not 0: nan lets it through, as in PyTorch."""
    return zero_unless(xp, g, out != number(xp, 0, out.dtype))


@relu_x.rule("g")
def _(xp, g, out):
    return relu_x(xp, g, out)


@op
def absolute(xp, x):
    return xp.absolute(x)


@absolute.rule("x")
def _(xp, g, x):
    return g * sign(xp, x)


@op
def lerp(xp, start, end, weight):
    """``start + weight * (end - start)``, exact at both ends."""
    distance = end - start
    near = xp.absolute(weight) < 0.5
    return xp.where(near, start + weight * distance, end - (1 - weight) * distance)


@lerp.rule("start")
def _(xp, g, weight):
    return g * (1 - weight)


@lerp.rule("end")
def _(xp, g, weight):
    return g * weight


@lerp.rule("weight")
def _(xp, g, start, end):
    return g * (end - start)


@op(moves=True)
def astype(xp, x, /, dtype):
    return x.astype(dtype)


@astype.rule("x")
def _(xp, g):
    return g  # the engine gives every gradient its input's data type
