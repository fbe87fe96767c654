"""Dropout by a mask of truth values, which the caller draws from a key; alone, or added."""

from distgrad.ops.op import op

__all__ = ["dropout", "dropout_add"]


@op(kernel=True)
def dropout(xp, x, kept, /, scale):
    """``x * scale`` where ``kept`` is true, and 0 elsewhere; the scale is of the type of x."""
    return x * (kept * scale)


@dropout.rule("x")
def _(xp, g, kept, scale):
    return dropout(xp, g, kept, scale=scale)


@op(kernel=True)
def dropout_add(xp, x, residual, kept, /, scale):
    """``residual`` plus `dropout` of x."""
    y = x * (kept * scale)
    y += residual
    return y


@dropout_add.rule("x")
def _(xp, g, kept, scale):
    return dropout(xp, g, kept, scale=scale)


@dropout_add.rule("residual")
def _(xp, g):
    return g
