"""Functions of angles, circular and hyperbolic, element by element."""

import math

from distgrad.backend.numbers import number
from distgrad.ops.op import op
from distgrad.ops.selection import where


@op
def sin(xp, x):
    return xp.sin(x)


@sin.rule("x")
def _(xp, g, x):
    return g * xp.cos(x)


@op
def cos(xp, x):
    return xp.cos(x)


@cos.rule("x")
def _(xp, g, x):
    return -g * xp.sin(x)


@op
def tan(xp, x):
    return xp.tan(x)


@tan.rule("x")
def _(xp, g, y):
    return g * (1 + y * y)


@op
def arcsin(xp, x):
    return xp.arcsin(x)


@arcsin.rule("x")
def _(xp, g, x):
    return g / xp.sqrt(1 - x * x)


@op
def arccos(xp, x):
    return xp.arccos(x)


@arccos.rule("x")
def _(xp, g, x):
    return -g / xp.sqrt(1 - x * x)


@op
def arctan(xp, x):
    return xp.arctan(x)


@arctan.rule("x")
def _(xp, g, x):
    return g / (x * x + 1)


@op
def arctan2(xp, a, b):
    return xp.arctan2(a, b)


def _per_square(xp, side, a, b):
    """A side over the square of the hypotenuse; 0 where that is 0."""
    square = a * a + b * b
    return where(xp, square == 0, 0, side / square)


@arctan2.rule("a")
def _(xp, g, a, b):
    return g * _per_square(xp, b, a, b)


@arctan2.rule("b")
def _(xp, g, a, b):
    return -g * _per_square(xp, a, a, b)


@op
def hypot(xp, a, b):
    return xp.hypot(a, b)


@hypot.rule("a")
def _(xp, g, a, y):
    return g * (a / y)


@hypot.rule("b")
def _(xp, g, b, y):
    return g * (b / y)


@op
def sinh(xp, x):
    return xp.sinh(x)


@sinh.rule("x")
def _(xp, g, x):
    return g * xp.cosh(x)


@op
def cosh(xp, x):
    return xp.cosh(x)


@cosh.rule("x")
def _(xp, g, x):
    return g * xp.sinh(x)


@op
def tanh(xp, x):
    return xp.tanh(x)


@tanh.rule("x")
def _(xp, g, y):
    return g * (number(xp, 1, y.dtype) - y * y)


@op
def arcsinh(xp, x):
    return xp.arcsinh(x)


@arcsinh.rule("x")
def _(xp, g, x):
    return g / xp.sqrt(x * x + 1)


@op
def arccosh(xp, x):
    return xp.arccosh(x)


@arccosh.rule("x")
def _(xp, g, x):
    return g / xp.sqrt(x * x - 1)


@op
def arctanh(xp, x):
    return xp.arctanh(x)


@arctanh.rule("x")
def _(xp, g, x):
    return g / (1 - x * x)


@op
def sinc(xp, x, /, order=0):
    """``sin(pi x) / (pi x)``, 1 at 0, or its derivative of an order.

    With ``z`` for ``pi x``, the n-th derivative by z is ``(sin(z + n pi/2) - n s) / z`` of the one
    before it, s; near 0, where that loses digits, it is the Taylor series.
    """
    z = x * math.pi
    near = xp.absolute(z) < 1 + order
    divisor = xp.where(near, 1, z)
    far = xp.sin(divisor) / divisor
    for n in range(1, order + 1):
        far = (xp.sin(divisor + n * (math.pi / 2)) - n * far) / divisor
    z = xp.where(near, z, 0)
    series = xp.zeros_like(z)
    for k in reversed(range((order + 1) // 2, order // 2 + 12 + order)):
        term = (-1) ** k / ((2 * k + 1) * math.factorial(2 * k - order))
        series = series + term * z ** (2 * k - order)
    return xp.where(near, series, far) * math.pi**order


@sinc.rule("x")
def _(xp, g, x, order):
    return g * sinc(xp, x, order=order + 1)
