"""Functions of whole numbers; no gradient flows through them."""

from distgrad.ops.op import op


@op
def gcd(xp, a, b):
    """The greatest common divisor."""
    return xp.gcd(a, b)


@op
def lcm(xp, a, b):
    """The least common multiple, 0 where one of both is 0."""
    return xp.lcm(a, b)


@op
def left_shift(xp, a, b):
    return xp.left_shift(a, b)


@op
def right_shift(xp, a, b):
    return xp.right_shift(a, b)
