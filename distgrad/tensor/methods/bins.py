"""How often elements occur."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad.backend.dtypes import is_floating
from distgrad.tensor.methods.array import OfArray
from distgrad.tensor.operands import raw

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Bins"]


class Bins(OfArray):
    """Counts of integers, and of numbers in equally wide bins."""

    __slots__ = ()

    def bincount(self, weights: Any = None, minlength: int = 0) -> "Tensor":
        """Return how often each integer occurs, from 0 to the largest one."""
        counted = raw(weights)
        if self.dtype.kind not in "iub" or self.ndim != 1 or (self.data < 0).any():
            raise RuntimeError(
                "bincount() takes integers along one axis, none of them negative, got "
                f"{self.dtype} of shape {self.shape}; flatten it, or shift it"
            )
        if minlength < 0 or (counted is not None and counted.shape != self.shape):
            raise RuntimeError(
                f"bincount() takes weights of the shape {self.shape} and a minlength of 0 or more, "
                f"got {getattr(counted, 'shape', None)} and {minlength}"
            )
        places = self.data.astype(np.int64)
        if counted is None:
            return self.of(np.bincount(places, minlength=minlength))
        wanted = np.float32 if counted.dtype == np.float32 else np.float64
        return self.of(np.bincount(places, counted, minlength).astype(wanted))

    def histc(self, bins: int = 100, min: float = 0, max: float = 0) -> "Tensor":
        """Return how many elements lie in each of equally wide bins."""
        if not is_floating(self.dtype) or bins < 1:
            raise RuntimeError(
                f"histc() counts floating-point numbers in 1 bin or more, got {self.dtype} and "
                f"bins={bins}"
            )
        values = self.data.reshape(-1)
        low, high = float(min), float(max)
        if low == high and values.size:
            low, high = float(values.min()), float(values.max())
        if low == high:
            low, high = low - 1, high + 1
        if not -np.inf < low < high < np.inf:
            raise RuntimeError(
                f"histc() needs finite bounds, the first below the second, got {low} and {high}"
            )
        inside = values[(values >= low) & (values <= high)]
        places = ((inside - low) / (high - low) * bins).astype(np.int64)
        counts = np.bincount(np.minimum(places, bins - 1), minlength=bins)
        return self.of(counts.astype(self.dtype))
