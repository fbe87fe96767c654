"""Sparse matrices along an axis, and in which order their entries are added up."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace

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

    def rounds(self, xp: Namespace) -> Iterator[tuple[Any, Any, Any]]:
        """Yield (places, sources, weights) of entries such that no place occurs twice in a round.

        Places and sources are slices, or arrays of the namespace, as the weights are.

        The first round meets every place that any round meets.
        """
        order = np.argsort(self.places, kind="stable")
        places = self.places[order]
        rank = np.arange(len(places)) - np.searchsorted(places, places)
        for number in range(int(rank.max(initial=-1)) + 1):
            chosen = order[rank == number]
            weights = None if self.weights is None else xp.asarray(self.weights[chosen])
            places, sources = _compact(self.places[chosen]), _compact(self.sources[chosen])
            yield _index(xp, places), _index(xp, sources), weights


def _index(xp: Namespace, indices: Any) -> Any:
    return indices if isinstance(indices, slice) else xp.asarray(indices)


def _compact(indices: Array) -> Any:
    """Return the indices as a slice where they are evenly spaced: that is many times faster."""
    steps = np.diff(indices)
    step = int(steps[0]) if len(steps) else 1
    if step < 1 or (steps != step).any():
        return indices
    return slice(int(indices[0]), int(indices[-1]) + 1, step)
