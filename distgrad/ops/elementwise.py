"""Elementwise arithmetic and functions; inputs broadcast."""

from distgrad.ops.op import op


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
def _(xp, g, b, y):
    return -g * y / b


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
    return xp.power(x, exponent)


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
def _(xp, g, x, y):
    # At x = 0 the slope is 0: the added 1 makes the logarithm 0 there.
    return g * (y * xp.log(x + (x == 0)))


@op
def exp(xp, x):
    return xp.exp(x)


@exp.rule("x")
def _(xp, g, y):
    return g * y


@op
def log(xp, x):
    return xp.log(x)


@log.rule("x")
def _(xp, g, x):
    return g / x


@op
def sqrt(xp, x):
    return xp.sqrt(x)


@sqrt.rule("x")
def _(xp, g, y):
    return g / (2 * y)


@op
def tanh(xp, x):
    return xp.tanh(x)


@tanh.rule("x")
def _(xp, g, y):
    return g * (1 - y * y)


@op
def relu(xp, x):
    return xp.maximum(x, 0)


@relu.rule("x")
def _(xp, g, y):
    return g * (y > 0)


@op
def absolute(xp, x):
    return xp.absolute(x)


@absolute.rule("x")
def _(xp, g, x):
    return g * xp.sign(x)


@op
def sign(xp, x):
    return xp.sign(x)


@sign.rule("x")
def _(xp, g):
    return g * 0


@op
def dropout(xp, x, mask):
    """``x * mask``; the mask holds 0 or 1 / (1 - p) and is drawn by the caller, from a key."""
    return x * mask


@dropout.rule("x")
def _(xp, g, mask):
    return g * mask


@op
def astype(xp, x, /, dtype):
    return x.astype(dtype)


@astype.rule("x")
def _(xp, g):
    return g  # the engine gives every gradient its input's data type
