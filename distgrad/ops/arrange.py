"""The elements in another order, or several times."""

from distgrad.ops.op import op


@op(moves=True)
def flip(xp, x, /, axis):
    """The order along each of these axes turned round."""
    return xp.flip(x, axis).copy(order="K")


@flip.rule("x")
def _(xp, g, axis):
    return flip(xp, g, axis=axis)


@op(moves=True)
def roll(xp, x, /, shift, axis):
    """Each axis moved on by its shift; what leaves at the end comes in at the beginning."""
    return xp.roll(x, shift, axis) if axis else x.copy()


@roll.rule("x")
def _(xp, g, shift, axis):
    return roll(xp, g, shift=tuple(-s for s in shift), axis=axis)


@op
def tile(xp, x, /, reps):
    """The array ``reps[axis]`` times along each axis; missing axes are put in front of either."""
    return xp.tile(x, reps)


@tile.rule("x")
def _(xp, g, x_shape, reps):
    missing = len(reps) - len(x_shape)
    reps, shape = (1,) * -missing + tuple(reps), (1,) * missing + x_shape
    each = [length for pair in zip(reps, shape, strict=True) for length in pair]
    total = xp.sum(xp.reshape(g, each), axis=tuple(range(0, len(each), 2)))
    return xp.reshape(total, x_shape)
