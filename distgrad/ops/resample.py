"""Elements along an axis as weighted sums of others: interpolation, padding by copies, bins.

All of these are linear, with a sparse matrix that is known before; its transpose is the gradient.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from distgrad.ops.op import op

__all__ = ["Resampling"]


@dataclass(frozen=True, eq=False)
class Resampling:
    """A sparse matrix for one axis: for each entry, result[place] += weight * x[source].

    The fields but the first are equally long arrays of NumPy, in the order of summation.
    """

    size: int
    """How long the axis is in the result."""
    places: Any
    sources: Any
    weights: Any = None
    """None for entries that are all 1."""

    def transposed(self, size: int) -> "Resampling":
        """Return the transpose; its result has ``size``, the length that x had."""
        return Resampling(size, self.sources, self.places, self.weights)

    def rounds(self) -> Any:
        """Yield (places, sources, weights) of entries such that no place occurs twice in a round.

        The first round meets every place that any round meets.
        """
        order = np.argsort(self.places, kind="stable")
        places = self.places[order]
        rank = np.arange(len(places)) - np.searchsorted(places, places)
        for number in range(int(rank.max(initial=-1)) + 1):
            chosen = order[rank == number]
            weights = None if self.weights is None else self.weights[chosen]
            yield _compact(self.places[chosen]), _compact(self.sources[chosen]), weights


def _compact(indices):
    """Return the indices as a slice where they are evenly spaced: that is many times faster."""
    steps = np.diff(indices)
    step = int(steps[0]) if len(steps) else 1
    if step < 1 or (steps != step).any():
        return indices
    return slice(int(indices[0]), int(indices[-1]) + 1, step)


@op
def resample(xp, x, /, axis, by):
    """Along the axis, weighted sums of elements as the `Resampling` says."""
    y = xp.zeros_like(x, shape=(*x.shape[:axis], by.size, *x.shape[axis + 1 :]))
    to, of = xp.moveaxis(y, axis, 0), xp.moveaxis(x, axis, 0)
    for number, (places, sources, weights) in enumerate(by.rounds()):
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
