"""How often elements occur."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad.backend import array_namespace, to_host
from distgrad.backend.dtypes import DEFAULT_FLOAT, is_floating
from distgrad.backend.lacking import add_at
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
        counted, xp = raw(weights), array_namespace(self.data)
        if self.dtype.kind not in "iub" or self.ndim != 1 or to_host((self.data < 0).any()):
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
            return self.of(xp.bincount(places, minlength=minlength))
        length = max(minlength, int(to_host(places.max())) + 1 if places.size else 0)
        total = xp.zeros(length, np.float64)
        add_at(xp, total, counted.astype(np.float64), index=places)
        return self.of(total.astype(np.float32 if counted.dtype == np.float32 else np.float64))

    def histc(self, bins: int = 100, min: float = 0, max: float = 0) -> "Tensor":
        """Return how many elements lie in each of equally wide bins."""
        if not is_floating(self.dtype) or bins < 1:
            raise RuntimeError(
                f"histc() counts floating-point numbers in 1 bin or more, got {self.dtype} and "
                f"bins={bins}"
            )
        values = self.data.reshape(-1)
        if values.dtype.itemsize < DEFAULT_FLOAT.itemsize:
            values = values.astype(DEFAULT_FLOAT)  # 16 bits are too few to compute a place in
        low, high = float(min), float(max)
        if low == high and values.size:
            low, high = float(to_host(values.min())), float(to_host(values.max()))
        if low == high:
            low, high = low - 1, high + 1
        if not -np.inf < low < high < np.inf:
            raise RuntimeError(
                f"histc() needs finite bounds, the first below the second, got {low} and {high}"
            )
        inside = values[(values >= low) & (values <= high)]
        places = ((inside - low) / (high - low) * bins).astype(np.int64)
        xp = array_namespace(values)
        counts = xp.bincount(xp.minimum(places, bins - 1), minlength=bins)
        return self.of(counts.astype(self.dtype))
