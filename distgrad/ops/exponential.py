"""Exponentials and logarithms, element by element."""

import math

from distgrad.ops.op import op
from distgrad.ops.selection import where

_LOG_2 = math.log(2)
_LOG_10 = math.log(10)


@op
def exp(xp, x):
    return xp.exp(x)


@exp.rule("x")
def _(xp, g, y):
    return g * y


@op
def exp2(xp, x):
    return xp.exp2(x)


@exp2.rule("x")
def _(xp, g, y):
    return g * (y * _LOG_2)


@op
def expm1(xp, x):
    return xp.expm1(x)


@expm1.rule("x")
def _(xp, g, y):
    return g * (y + 1)


@op
def log(xp, x):
    return xp.log(x)


@log.rule("x")
def _(xp, g, x):
    return g / x


@op
def log2(xp, x):
    return xp.log2(x)


@log2.rule("x")
def _(xp, g, x):
    return g / (x * _LOG_2)


@op
def log10(xp, x):
    return xp.log10(x)


@log10.rule("x")
def _(xp, g, x):
    return g / (x * _LOG_10)


@op
def log1p(xp, x):
    return xp.log1p(x)


@log1p.rule("x")
def _(xp, g, x):
    return g / (x + 1)


@op
def logaddexp(xp, a, b):
    return xp.logaddexp(a, b)


@logaddexp.rule("a")
def _(xp, g, a, b):
    return g / (1 + xp.exp(b - a))


@logaddexp.rule("b")
def _(xp, g, a, b):
    return g / (1 + xp.exp(a - b))


@op
def xlogy(xp, a, b):
    """``a * log(b)``, and 0 where ``a`` is 0, unless ``b`` is nan."""
    b = xp.asarray(b, xp.result_type(a, b))
    return xp.where((a == 0) & (b == b), 0, a * xp.log(b))


@xlogy.rule("a")
def _(xp, g, a, b):
    # At 0 of a function that is 0 whatever b, b may have no logarithm.
    return g * where(xp, (a == 0) & (b <= 0), 0, xp.log(b))


@xlogy.rule("b")
def _(xp, g, a, b):
    return g * (a / b)


@op
def logaddexp2(xp, a, b):
    return xp.logaddexp2(a, b)


@logaddexp2.rule("a")
def _(xp, g, a, b):
    return g / (1 + xp.exp2(b - a))


@logaddexp2.rule("b")
def _(xp, g, a, b):
    return g / (1 + xp.exp2(a - b))


@op
def xlog1py(xp, a, b):
    """``a * log(1 + b)``, and 0 where ``a`` is 0, unless ``b`` is nan."""
    b = xp.asarray(b, xp.result_type(a, b))
    return xp.where((a == 0) & (b == b), 0, a * xp.log1p(b))


@xlog1py.rule("a")
def _(xp, g, a, b):
    return g * where(xp, (a == 0) & (b <= -1), 0, xp.log1p(b))


@xlog1py.rule("b")
def _(xp, g, a, b):
    return g * (a / (b + 1))


@op
def logit(xp, x):
    """``log(x / (1 - x))``: the inverse of the sigmoid."""
    return xp.log(x / (1 - x))


@logit.rule("x")
def _(xp, g, x):
    return g * where(xp, (x < 0) | (x > 1), math.nan, 1 / (x * (1 - x)))
