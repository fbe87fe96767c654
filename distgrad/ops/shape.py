"""Changes of shape; most results share their input's memory."""

from distgrad.ops.op import op


@op(view=True, moves=True)
def reshape(xp, x, /, shape):
    return xp.reshape(x, shape)


@reshape.rule("x")
def _(xp, g, x_shape):
    return xp.reshape(g, x_shape)


@op(view=True, moves=True)
def transpose(xp, x, /, axes=None):
    return xp.transpose(x, axes)


@transpose.rule("x")
def _(xp, g, axes):
    if axes is None:
        return xp.transpose(g)
    axes = [axis % len(axes) for axis in axes]
    return xp.transpose(g, tuple(axes.index(i) for i in range(len(axes))))


@op(view=True, moves=True)
def broadcast_to(xp, x, /, shape):
    y = xp.broadcast_to(x, shape)
    # NumPy marks the result read-only also where nothing was stretched.
    return xp.reshape(x, shape) if y.size == x.size else y


@broadcast_to.rule("x")
def _(xp, g):
    return g  # the engine sums every gradient to its input's shape


@op(moves=True)
def ascontiguousarray(xp, x):
    """A copy in C order."""
    return x.copy(order="C")


@ascontiguousarray.rule("x")
def _(xp, g):
    return g
