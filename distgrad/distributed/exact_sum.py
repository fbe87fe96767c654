"""`ExactSum`: a sum of floats in which no order and no division among ranks leaves a trace."""

import math
import struct
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from distgrad.backend import Array

__all__ = ["ExactSum"]

_ONE = 1 << 1074
"""1 in units of the smallest float. Every finite float is a whole number of these units, so that
Python's integers add floats without rounding."""

_FORMAT = struct.Struct("<d272s")
"""The largest float has 2,098 bits in these units; the rest is room for 2**77 of them."""

_CHUNK = 2**20
"""Elements added at a time: few enough that sums of halves of their digits are exact in float64."""


class ExactSum:
    """Adds floats without rounding, and rounds once when the value is asked for.

    Args:
        values: What to begin with.

    Example:
        >>> ExactSum([1e100, 1.0, -1e100]).value
        1.0
    """

    SIZE = _FORMAT.size
    """Bytes of `to_bytes`."""

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._units = 0
        self._not_finite = 0.0
        for value in values:
            self.add(value)

    def add(self, value: float) -> None:
        """Add a float."""
        if math.isfinite(value):
            numerator, denominator = value.as_integer_ratio()  # a power of 2, at most 2**1074
            self._units += numerator << (_ONE.bit_length() - denominator.bit_length())
        else:
            self._not_finite += value

    def add_all(self, values: Array) -> None:
        """Add every element of an array, each taken as a float64.

        Example:
            >>> total = ExactSum()
            >>> total.add_all(np.array([1e100, 1.0, -1e100]))
            >>> total.value
            1.0
        """
        flat = np.asarray(values, np.float64).reshape(-1)
        is_finite = np.isfinite(flat)
        if not is_finite.all():
            for value in flat[~is_finite].tolist():
                self._not_finite += value
            flat = flat[is_finite]
        for start in range(0, flat.size, _CHUNK):
            self._units += _units(flat[start : start + _CHUNK])

    @property
    def exact(self) -> Fraction | float:
        """The sum without any rounding; a float where it is infinite or nan."""
        return self._not_finite if self._not_finite != 0 else Fraction(self._units, _ONE)

    @property
    def value(self) -> float:
        """The sum, correctly rounded; infinite where no float is that large; nan as in IEEE 754."""
        if self._not_finite != 0:
            return self._not_finite
        try:
            return self._units / _ONE
        except OverflowError:
            return math.inf if self._units > 0 else -math.inf

    def merge(self, other: "ExactSum") -> None:
        """Add all that was added to another sum."""
        self._units += other._units
        self._not_finite += other._not_finite

    def to_bytes(self) -> bytes:
        """Return the exact sum as `SIZE` bytes, for another process."""
        return _FORMAT.pack(self._not_finite, self._units.to_bytes(272, "little", signed=True))

    @classmethod
    def from_bytes(cls, data: bytes) -> "ExactSum":
        """Return the sum that `to_bytes` described."""
        result = cls()
        result._not_finite, units = _FORMAT.unpack(data)
        result._units = int.from_bytes(units, "little", signed=True)
        return result


def _units(values: Array) -> int:
    """Return the sum of finite floats in units of the smallest, by what they are multiplied with.

    A float is a whole number of 53 digits, times a power of 2. Whole numbers of one power are added
    up in two halves, whose sums a float64 holds.
    """
    mantissas, powers = np.frexp(values)
    wholes = np.ldexp(mantissas, 53).astype(np.int64)
    least = int(powers.min())
    high, low = (
        np.bincount(powers - least, weights=half).tolist()
        for half in (wholes >> 27, wholes & (2**27 - 1))
    )
    total = 0
    for power, (upper, lower) in enumerate(zip(high, low, strict=True), start=least + 1074 - 53):
        whole = (int(upper) << 27) + int(lower)
        total += whole << power if power >= 0 else whole >> -power  # a subnormal ends in zeros
    return total
