"""Several arrays into one, and one into a larger one."""

from itertools import accumulate

from distgrad.ops.index import getitem
from distgrad.ops.op import op


def _part(ndim, axis, index):
    """An index of one axis."""
    return (*(slice(None),) * (axis % ndim), index)


@op(moves=True)
def concatenate(xp, *arrays, axis=0):
    return xp.concatenate(arrays, axis=axis)


@concatenate.rule("arrays")
def _(xp, g, position, shapes, axis):
    ends = list(accumulate(shape[axis] for shape in shapes))
    start = ends[position] - shapes[position][axis]
    return getitem(xp, g, index=_part(len(shapes[0]), axis, slice(start, ends[position])))


@op(moves=True)
def stack(xp, *arrays, axis=0):
    return xp.stack(arrays, axis=axis)


@stack.rule("arrays")
def _(xp, g, position, shapes, axis):
    return getitem(xp, g, index=_part(len(shapes[0]) + 1, axis, position))


@op
def pad(xp, x, /, pad_width, value=0):
    """Add ``pad_width[axis] = (before, after)`` elements; negative numbers take some away."""
    kept = tuple(
        slice(max(-before, 0), n - max(-after, 0))
        for n, (before, after) in zip(x.shape, pad_width, strict=True)
    )
    inner = tuple(
        slice(max(before, 0), max(before, 0) + x[kept].shape[axis])
        for axis, (before, _) in enumerate(pad_width)
    )
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, pad_width, strict=True))
    y = xp.full_like(x, value, shape=shape)  # in the memory order of x
    y[inner] = x[kept]
    return y


@pad.rule("x")
def _(xp, g, pad_width):
    return pad(xp, g, pad_width=tuple((-before, -after) for before, after in pad_width))
