"""Which element of each window is its largest, and a value for each window handed to that element.

Arrays are (N, H, W, C). An element of each window, over all windows, lies in memory in runs of the
channels. Where windows tile the image, a row of each window lies in runs of a whole line; to repeat
what belongs to a window along that line, and to look at line after line, takes half the time.
"""

import math
from functools import reduce

import numpy as np

from distgrad.backend.lacking import is_anything_true
from distgrad.ops.window import taps

__all__ = ["Winners"]


class Winners:
    """Windows over images of one size; element after element of them.

    Attributes:
        dtype: The data type of the winners' numbers.
        nobody: The number that says that no element is the largest.
    """

    def __init__(self, xp, window, size):
        self.xp = xp
        self.window = window
        self.size = size
        self.dtype = np.uint8 if math.prod(window.kernel) < 0xFF else np.uint32
        self.nobody = np.iinfo(self.dtype).max

    @classmethod
    def of(cls, xp, window, size, channels):
        """Return the faster way for windows that tile the image, or the general one."""
        side_by_side = window._replace(stride=window.kernel, dilation=(1, 1), before=(0, 0))
        fits = all(span <= length for span, length in zip(window.span, size, strict=True))
        if window == side_by_side and fits:
            return _OfTiles(xp, window, size, channels)
        return cls(xp, window, size)

    def find(self, x, largest):
        """Return the number of the first element equal to the ``largest``."""
        winner = self._first(x, largest)
        lost = winner == self.nobody
        if is_anything_true(lost):  # nothing equals nan: there PyTorch takes the last
            for number, met, place in taps(self.window, self.size):
                winner[met][lost[met] & self.xp.isnan(x[place])] = number
        return winner

    def _first(self, x, largest):
        winner = self.xp.full(largest.shape, self.nobody, self.dtype)
        for number, met, place in taps(self.window, self.size):
            # A minimum of small numbers is many times faster than a choice by `where`.
            candidate = (x[place] != largest[met]).astype(self.dtype) * self.dtype(self.nobody)
            candidate |= self.dtype(number)
            self.xp.minimum(winner[met], candidate, out=winner[met])
        return winner

    def hand_down(self, values, winner, x):
        """Write to x the sum of the values that each element has won."""
        x[...] = 0
        for number, met, place in taps(self.window, self.size):
            x[place] += values[met] * (winner[met] == number)


class _OfTiles(Winners):
    """Windows side by side from the first pixel on; line after line."""

    def __init__(self, xp, window, size, channels):
        super().__init__(xp, window, size)
        kh, kw = window.kernel
        numbers = xp.arange(kh * kw, dtype=self.dtype).reshape(kh, kw)
        # For each row of a window the numbers of its elements, along a line.
        self.numbers = xp.repeat(xp.tile(numbers, window.output[1]), channels, axis=1)

    def _first(self, x, largest):
        rows, largest = self._rows(x), self._along_lines(largest)
        of_rows = reduce(
            self.xp.minimum,
            (
                self.xp.negative((rows[:, :, row] != largest).astype(self.dtype)) | numbers
                for row, numbers in enumerate(self.numbers)
            ),
        )
        kw = self.window.kernel[1]
        columns = of_rows.reshape(len(x), *self.window.output, kw, x.shape[3])
        winner = reduce(self.xp.minimum, (columns[..., b, :] for b in range(kw)))
        return self.xp.ascontiguousarray(winner)

    def hand_down(self, values, winner, x):
        if values.dtype.kind != "f":
            super().hand_down(values, winner, x)
            return
        if self.window.span != tuple(self.size):
            x[...] = 0
        bits = np.dtype(f"i{values.itemsize}")
        rows = self._rows(x.view(bits))
        values, winner = self._along_lines(values.view(bits)), self._along_lines(winner)
        for row, numbers in enumerate(self.numbers):
            won = self.xp.negative((winner == numbers).view(np.int8))
            self.xp.bitwise_and(values, won.astype(bits), out=rows[:, :, row])

    def _rows(self, x):
        """What the windows tile, as a view (N, H', rows of a window, line)."""
        kh, (height, width) = self.window.kernel[0], self.window.span
        return x[:, :height, :width].reshape(len(x), height // kh, kh, width * x.shape[3])

    def _along_lines(self, y):
        """Each element of (N, H', W', C) as often as a window has columns, (N, H', line)."""
        repeated = self.xp.repeat(y, self.window.kernel[1], axis=2)
        return repeated.reshape(*y.shape[:2], repeated.shape[2] * y.shape[3])
