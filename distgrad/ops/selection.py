"""Choices between values, element by element; inputs broadcast."""

from distgrad.ops.op import op


@op
def maximum(xp, a, b):
    return xp.maximum(a, b)


@op
def minimum(xp, a, b):
    return xp.minimum(a, b)


@op
def fmax(xp, a, b):
    return xp.fmax(a, b)


@op
def fmin(xp, a, b):
    return xp.fmin(a, b)


@op
def where(xp, condition, a, b):
    return xp.where(condition, a, b)


# Not a product with the condition: the gradient of what was not chosen may be infinite.
@where.rule("a")
def _(xp, g, condition):
    return where(xp, condition, g, 0)


@where.rule("b")
def _(xp, g, condition):
    return where(xp, condition, 0, g)


@op
def zero_unless(xp, x, condition):
    """``x`` where the condition holds, and 0 elsewhere, also where ``x`` is not finite."""
    # As bits: a product would make nan of infinity, and `where` takes ten times as long.
    bits = xp.dtype(f"i{x.dtype.itemsize}")
    return (x.view(bits) & -condition.astype(bits)).view(x.dtype)


@zero_unless.rule("x")
def _(xp, g, condition):
    return zero_unless(xp, g, condition)


# Of two equal elements each takes half of the gradient; where one is nan, both take all of it.


def _unless(xp, lost, g, a, b):
    return where(xp, lost, 0, where(xp, a == b, g / 2, g))


@maximum.rule("a")
def _(xp, g, a, b):
    return _unless(xp, a < b, g, a, b)


@maximum.rule("b")
def _(xp, g, a, b):
    return _unless(xp, b < a, g, a, b)


@minimum.rule("a")
def _(xp, g, a, b):
    return _unless(xp, a > b, g, a, b)


@minimum.rule("b")
def _(xp, g, a, b):
    return _unless(xp, b > a, g, a, b)


# Here the first of two equal elements takes the whole gradient, and so does a number beside nan.


@fmax.rule("a")
def _(xp, g, a, b):
    return where(xp, (a >= b) | (b != b), g, 0)


@fmax.rule("b")
def _(xp, g, a, b):
    return where(xp, (a >= b) | (b != b), 0, g)


@fmin.rule("a")
def _(xp, g, a, b):
    return where(xp, (a <= b) | (b != b), g, 0)


@fmin.rule("b")
def _(xp, g, a, b):
    return where(xp, (a <= b) | (b != b), 0, g)


@op
def clip(xp, x, low, high):
    """``minimum(maximum(x, low), high)``; a bound that is None does not bind."""
    if low is not None:
        x = xp.maximum(x, low)
    return x if high is None else xp.minimum(x, high)


@clip.rule("x")
def _(xp, g, x, low, high):
    """A bound that is met exactly lets the gradient through."""
    if low is not None:
        g = where(xp, x >= low, g, 0)
    return g if high is None else where(xp, x <= high, g, 0)


@clip.rule("low")
def _(xp, g, x, low, high):
    g = where(xp, x < low, g, 0)
    return g if high is None else where(xp, low < high, g, 0)


@clip.rule("high")
def _(xp, g, x, low, high):
    taken = where(xp, x > high, g, 0)
    return taken if low is None else where(xp, high < low, g, taken)
