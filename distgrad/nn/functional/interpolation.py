"""What `interpolate` does to one axis: where its places lie among those of the input, and weights.

The arithmetic is that of PyTorch in the data type of the input, for a place that lies between two
must be rounded to the same one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from distgrad.backend.dtypes import DType
from distgrad.ops.resample import Resampling

__all__ = ["Axis", "cubic", "linear", "nearest", "nearest_exact"]

_SHARPNESS = -0.75  # the slope of the cubic kernel at distance 1


@dataclass(frozen=True)
class Axis:
    """One axis: its length before and after, and how the places correspond.

    Attributes:
        length: How long it is.
        size: How long it becomes.
        scale: The factor that was asked for; None for size / length.
        align_corners: Whether the first and the last places correspond, instead of the ends.
        dtype: Data type of the input.
    """

    length: int
    size: int
    scale: float | None
    align_corners: bool
    dtype: DType

    @property
    def real(self) -> Any:
        """The type of floating-point numbers in which places are computed."""
        return np.float64 if self.dtype == np.float64 else np.float32

    @property
    def step(self) -> Any:
        """How far the places of the result lie apart in the input."""
        if self.scale:
            return self.real(1.0 / self.scale)
        return self.real(self.length) / self.real(self.size)

    def places(self) -> Any:
        """Return where in the input the places of the result lie, as numbers."""
        numbers = np.arange(self.size, dtype=self.real)
        if self.align_corners:
            step = self.real(self.length - 1) / self.real(self.size - 1) if self.size > 1 else 0
            return numbers * self.real(step)
        half = self.real(0.5)
        return self.step * (numbers + half) - half

    def resampling(self, sources: list[Any], weights: list[Any] | None = None) -> Resampling:
        """Return the sum of one or several sources for each place."""
        places = np.tile(np.arange(self.size), len(sources))
        inside = np.concatenate(sources).astype(np.int64).clip(0, self.length - 1)
        return Resampling(
            self.size, places, inside, None if weights is None else np.concatenate(weights)
        )


def _floor(places: Any) -> Any:
    """Return the whole numbers below, after rounding to float32 as PyTorch does: 3.9999999 is 4."""
    return np.floor(places.astype(np.float32))


def nearest(axis: Axis) -> Resampling:
    """Return the element where a place begins."""
    return axis.resampling([_floor(np.arange(axis.size, dtype=axis.real) * axis.step)])


def nearest_exact(axis: Axis) -> Resampling:
    """Return the element where the middle of a place lies."""
    numbers = np.arange(axis.size, dtype=axis.real)
    return axis.resampling([_floor((numbers + axis.real(0.5)) * axis.step)])


def linear(axis: Axis) -> Resampling:
    """Return the two elements around a place, by their distances."""
    if axis.size == axis.length:  # whatever the scale that led to it, as in PyTorch
        return axis.resampling([np.arange(axis.size)])
    places = axis.places().clip(0)
    first = np.minimum(_floor(places), axis.length - 1)
    second = (places - first).clip(0, 1)
    return axis.resampling([first, first + 1], [1 - second, second])


def cubic(axis: Axis) -> Resampling:
    """Return the four elements around a place, weighted by a cubic kernel.

    R. Keys, "Cubic convolution interpolation for digital image processing", IEEE Transactions on
    Acoustics, Speech, and Signal Processing 29 (1981).
    """
    places = axis.places()
    first = _floor(places)
    past = (places - first).clip(0, 1)
    distances = [past + 1, past, 1 - past, 2 - past]
    weights = [kernel(x) for kernel, x in zip((_far, _near, _near, _far), distances, strict=True)]
    return axis.resampling([first - 1, first, first + 1, first + 2], weights)


def _near(x: Any) -> Any:
    """Return the kernel at distances from 0 to 1."""
    return ((_SHARPNESS + 2) * x - (_SHARPNESS + 3)) * x * x + 1


def _far(x: Any) -> Any:
    """Return the kernel at distances from 1 to 2."""
    return ((x - 5) * x + 8) * x * _SHARPNESS - 4 * _SHARPNESS
