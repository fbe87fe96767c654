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
def isnan(xp, x):
    return xp.isnan(x)


@op
def isinf(xp, x):
    return xp.isinf(x)


@op
def signbit(xp, x):
    """Whether the sign is a minus, that of -0.0 too."""
    return xp.signbit(x) if x.dtype.kind == "f" else x < 0


@op
def isin(xp, x, values, /, invert=False):
    """Whether each element is one of the values."""
    return xp.isin(x, values, invert=invert)


@op
def isclose(xp, a, b, /, rtol=1e-5, atol=1e-8, equal_nan=False):
    return xp.isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


@op
def logical_and(xp, a, b):
    return xp.logical_and(a, b)


@op
def logical_or(xp, a, b):
    return xp.logical_or(a, b)


@op
def logical_xor(xp, a, b):
    return xp.logical_xor(a, b)


@op
def logical_not(xp, x):
    return xp.logical_not(x)


@op
def bitwise_and(xp, a, b):
    return xp.bitwise_and(a, b)


@op
def bitwise_or(xp, a, b):
    return xp.bitwise_or(a, b)


@op
def bitwise_xor(xp, a, b):
    return xp.bitwise_xor(a, b)


@op
def invert(xp, x):
    return xp.invert(x)
