"""Choices between values, element by element; inputs broadcast."""

from distgrad.ops.op import op


@op
def maximum(xp, a, b):
    return xp.maximum(a, b)


def _share(g, wins, ties):
    """The whole gradient where one wins, half of it where the two are equal."""
    half = g / 2
    return half * wins + half * ties


@maximum.rule("a")
def _(xp, g, a, b):
    return _share(g, a > b, a >= b)


@maximum.rule("b")
def _(xp, g, a, b):
    return _share(g, b > a, b >= a)


@op
def minimum(xp, a, b):
    return xp.minimum(a, b)


@minimum.rule("a")
def _(xp, g, a, b):
    return _share(g, a < b, a <= b)


@minimum.rule("b")
def _(xp, g, a, b):
    return _share(g, b < a, b <= a)


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
def clip(xp, x, low, high):
    """``minimum(maximum(x, low), high)``; a bound that is None does not bind."""
    if low is not None:
        x = xp.maximum(x, low)
    return x if high is None else xp.minimum(x, high)


@clip.rule("x")
def _(xp, g, x, low, high):
    """A bound that is met exactly lets the gradient through."""
    if low is not None:
        g = where(xp, x < low, 0, g)
    return g if high is None else where(xp, x > high, 0, g)


@clip.rule("low")
def _(xp, g, x, low, high):
    g = where(xp, x < low, g, 0)
    return g if high is None else where(xp, low < high, g, 0)


@clip.rule("high")
def _(xp, g, x, low, high):
    taken = where(xp, x > high, g, 0)
    return taken if low is None else where(xp, high < low, g, taken)
