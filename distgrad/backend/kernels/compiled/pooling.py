"""Max pooling: the largest elements, and their gradient, in one pass each."""

from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled.compiling import compiled, inlined
from distgrad.backend.kernels.compiled.images import channels_last, filled_lanes, window_numbers
from distgrad.backend.kernels.compiled.lanes import (
    LANES,
    add,
    if_equal,
    larger,
    load,
    repeated,
    store,
)
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN"]

_ZERO, _ONE, _LEAST = np.float32(0), np.float32(1), np.float32(-np.inf)
_IMAGES = "f4[:,:,:,::1]"


@inlined
def _met(start: int, step: int, length: int, size: int) -> Any:
    """Which elements of a window, ``step`` apart, lie between 0 and ``size``: first and end."""
    first = 0 if start >= 0 else -(start // step)
    end = min(length, (size - 1 - start) // step + 1)
    return first, end


@compiled(f"void({_IMAGES}, i8[:,::1], {_IMAGES})")
def _largest(x: Any, window: Any, largest: Any) -> None:
    count, height, width, channels = x.shape
    pixels, out = x.reshape(-1), largest.reshape(-1)
    p = 0
    for n in range(count):
        for i in range(largest.shape[1]):
            top = i * window[1, 0] - window[3, 0]
            first_row, end_row = _met(top, window[2, 0], window[0, 0], height)
            for j in range(largest.shape[2]):
                left = j * window[1, 1] - window[3, 1]
                first, end = _met(left, window[2, 1], window[0, 1], width)
                for c in range(0, channels, LANES):
                    best = repeated(_LEAST)
                    for a in range(first_row, end_row):
                        line = (n * height + top + a * window[2, 0]) * width + left
                        for b in range(first, end):
                            pixel = (line + b * window[2, 1]) * channels + c
                            best = larger(best, load(pixels, pixel))
                    store(out, p, best)
                    p += LANES


@compiled(f"b1({_IMAGES}, {_IMAGES}, {_IMAGES}, i8[:,::1], {_IMAGES})")
def _hand_down(above: Any, x: Any, largest: Any, window: Any, result: Any) -> bool:
    """Add what is above to the first element equal to the largest; False where one is nan."""
    count, height, width, channels = x.shape
    gradient, pixels, best = above.reshape(-1), x.reshape(-1), largest.reshape(-1)
    out = result.reshape(-1)
    zero, one = repeated(_ZERO), repeated(_ONE)
    unequal = zero
    p = 0
    for n in range(count):
        for i in range(largest.shape[1]):
            top = i * window[1, 0] - window[3, 0]
            first_row, end_row = _met(top, window[2, 0], window[0, 0], height)
            for j in range(largest.shape[2]):
                left = j * window[1, 1] - window[3, 1]
                first, end = _met(left, window[2, 1], window[0, 1], width)
                for c in range(0, channels, LANES):
                    left_over, most = load(gradient, p), load(best, p)
                    unequal = if_equal(most, most, unequal, one)
                    for a in range(first_row, end_row):
                        line = (n * height + top + a * window[2, 0]) * width + left
                        for b in range(first, end):
                            pixel = (line + b * window[2, 1]) * channels + c
                            seen = load(pixels, pixel)
                            share = if_equal(seen, most, left_over, zero)
                            left_over = if_equal(seen, most, zero, left_over)
                            store(out, pixel, add(load(out, pixel), share))
                    p += LANES
    told = np.empty(LANES, np.float32)
    store(told, 0, unequal)
    return not told.any()


def max_pool2d(xp: Namespace, x: Array, window: Any) -> Any:
    given = channels_last(x)
    if given is None or not filled_lanes(x.shape[1]):
        return NotImplemented
    largest = xp.empty((len(x), *window.output, x.shape[1]), x.dtype)
    _largest(given[0], window_numbers(window), largest)
    return largest.transpose(0, 3, 1, 2)


def max_pool2d_x(xp: Namespace, above: Array, x: Array, largest: Array, window: Any) -> Any:
    given = channels_last(above, x, largest)
    if given is None or not filled_lanes(x.shape[1]):
        return NotImplemented
    above, x, largest = given
    result = xp.zeros(x.shape, x.dtype)
    if not _hand_down(above, x, largest, window_numbers(window), result):
        return NotImplemented  # nothing equals nan
    return result.transpose(0, 3, 1, 2)


COLUMN: Column = {"max_pool2d": max_pool2d, "max_pool2d_x": max_pool2d_x}
