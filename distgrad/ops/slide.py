"""A window that slides along an axis, and its adjoint."""

from distgrad.ops.op import op


def _count(length, size, step, dilation):
    return (length - (size - 1) * dilation - 1) // step + 1


@op(view=True, moves=True)
def unfold(xp, x, /, axis, size, step, dilation=1):
    """Every window of ``size`` elements along the axis, ``step`` apart, as a new last axis.

    The elements of a window lie ``dilation`` apart.
    """
    shape, strides = list(x.shape), list(x.strides)
    shape[axis] = _count(shape[axis], size, step, dilation)
    as_strided = xp.lib.stride_tricks.as_strided
    inner = strides[axis] * dilation
    strides[axis] *= step
    windows = as_strided(x, (*shape, size), (*strides, inner))
    if step <= (size - 1) * dilation:
        return xp.broadcast_to(windows, windows.shape)  # read-only: windows share elements
    return windows


@unfold.rule("x")
def _(xp, g, x_shape, axis, step, dilation):
    return overlap_add(xp, g, axis=axis, step=step, length=x_shape[axis], dilation=dilation)


@op
def overlap_add(xp, windows, /, axis, step, length, dilation=1):
    """Add windows ``step`` apart along an axis of ``length``: the adjoint of `unfold`."""
    *shape, size = windows.shape
    count = shape[axis]
    shape[axis] = length
    y = xp.zeros(shape, windows.dtype)
    before = (slice(None),) * axis
    for place in range(size):
        first = place * dilation
        y[(*before, slice(first, first + (count - 1) * step + 1, step))] += windows[..., place]
    return y


@overlap_add.rule("windows")
def _(xp, g, axis, step, dilation, windows_shape):
    return unfold(xp, g, axis=axis, size=windows_shape[-1], step=step, dilation=dilation)
