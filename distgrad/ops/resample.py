"""Elements along an axis as weighted sums of others: interpolation, padding by copies, bins.

All of these are linear, with a sparse matrix that is known before; its transpose is the gradient.
"""

from distgrad.backend.resampling import Resampling
from distgrad.ops.op import op

__all__ = ["Resampling", "resample"]


@op
def resample(xp, x, /, axis, by):
    """Along the axis, weighted sums of elements as the `Resampling` says."""
    y = xp.zeros_like(x, shape=(*x.shape[:axis], by.size, *x.shape[axis + 1 :]))
    to, of = xp.moveaxis(y, axis, 0), xp.moveaxis(x, axis, 0)
    for number, (places, sources, weights) in enumerate(by.rounds(xp)):
        part = of[sources]
        if weights is not None:
            part = part * xp.asarray(weights, x.dtype).reshape(-1, *(1,) * (x.ndim - 1))
        if number:
            to[places] += part
        else:
            to[places] = part  # 0 + part would turn -0 into 0
    return y


@resample.rule("x")
def _(xp, g, x_shape, axis, by):
    return resample(xp, g, axis=axis, by=by.transposed(x_shape[axis]))
