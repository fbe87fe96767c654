"""Comparisons, predicates and logic; no gradient flows through them."""

from distgrad.ops.op import op


@op
def equal(xp, a, b):
    return xp.equal(a, b)


@op
def not_equal(xp, a, b):
    return xp.not_equal(a, b)


@op
def less(xp, a, b):
    return xp.less(a, b)


@op
def less_equal(xp, a, b):
    return xp.less_equal(a, b)


@op
def greater(xp, a, b):
    return xp.greater(a, b)


@op
def greater_equal(xp, a, b):
    return xp.greater_equal(a, b)


@op
def isfinite(xp, x):
    return xp.isfinite(x)


@op
def bitwise_and(xp, a, b):
    return xp.bitwise_and(a, b)


@op
def bitwise_or(xp, a, b):
    return xp.bitwise_or(a, b)


@op
def invert(xp, x):
    return xp.invert(x)
