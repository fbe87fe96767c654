"""A window that slides along an axis, and its adjoint."""

from distgrad.ops.op import op


def _count(length, size, step):
    return (length - size) // step + 1


@op(view=True)
def unfold(xp, x, /, axis, size, step):
    """Every window of ``size`` elements along the axis, ``step`` apart, as a new last axis."""
    shape, strides = list(x.shape), list(x.strides)
    shape[axis] = _count(shape[axis], size, step)
    as_strided = xp.lib.stride_tricks.as_strided
    inner = strides[axis]
    strides[axis] *= step
    return as_strided(x, (*shape, size), (*strides, inner))


@unfold.rule("x")
def _(xp, g, x_shape, axis, step):
    return overlap_add(xp, g, axis=axis, step=step, length=x_shape[axis])


@op
def overlap_add(xp, windows, /, axis, step, length):
    """Add windows ``step`` apart along an axis of ``length``: the adjoint of `unfold`."""
    *shape, size = windows.shape
    count = shape[axis]
    shape[axis] = length
    y = xp.zeros(shape, windows.dtype)
    before = (slice(None),) * axis
    for place in range(size):
        y[(*before, slice(place, place + (count - 1) * step + 1, step))] += windows[..., place]
    return y


@overlap_add.rule("windows")
def _(xp, g, axis, step, windows_shape):
    return unfold(xp, g, axis=axis, size=windows_shape[-1], step=step)
