"""The order of the elements along an axis."""

from distgrad.ops.op import op


@op
def argsort(xp, x, /, axis=-1, descending=False):
    """The places of the elements in order, equal ones as they stand; nan is the largest."""
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable")
    order = xp.argsort(xp.flip(x, axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - xp.flip(order, axis)
