"""Convolution of images with few channels, such as the first of a network: no columns, no product.

There a row of a window is short and a matrix product spends its time on reading and writing: each
pixel of the output is a few multiples of the weight's rows, in registers.
"""

import math
from typing import Any

import numpy as np

from distgrad.backend import Array
from distgrad.backend.kernels.compiled.compiling import compiled, inlined
from distgrad.backend.kernels.compiled.images import filled_lanes
from distgrad.backend.kernels.compiled.lanes import (
    LANES,
    add,
    load,
    multiply_add,
    repeated,
    store,
)

__all__ = ["correlate", "serves", "weight_gradient"]

_MOST = 36  # elements of a window; from about there on matrix products take over
_TOGETHER = 5  # elements that are weighed in one go
_ZERO = np.float32(0)


@inlined
def _gathered(x: Any, at: int, places: Any, weight: Any, o: int, outputs: int, sums: Any) -> Any:
    for k in range(places.size):
        sums = multiply_add(repeated(x[at + places[k]]), load(weight, k * outputs + o), sums)
    return sums


@compiled("void(f4[:,::1], i8[::1], i8, i8, f4[::1], f4[::1], f4[:,:,:,::1])")
def _correlate(
    images: Any, places: Any, line: int, step: int, weight: Any, bias: Any, y: Any
) -> None:
    count, rows, columns, outputs = y.shape
    x, out = images.reshape(-1), y.reshape(-1)
    for n in range(count):
        for i in range(rows):
            for o in range(0, outputs, LANES):
                at = n * images.shape[1] + i * line
                p = (n * rows + i) * columns * outputs + o
                start = load(bias, o)
                j = 0
                while j + 4 <= columns:
                    a = b = c = d = start
                    for k in range(places.size):
                        w, place = load(weight, k * outputs + o), at + places[k]
                        a = multiply_add(repeated(x[place]), w, a)
                        b = multiply_add(repeated(x[place + step]), w, b)
                        c = multiply_add(repeated(x[place + 2 * step]), w, c)
                        d = multiply_add(repeated(x[place + 3 * step]), w, d)
                    store(out, p, a)
                    store(out, p + outputs, b)
                    store(out, p + 2 * outputs, c)
                    store(out, p + 3 * outputs, d)
                    at, p, j = at + 4 * step, p + 4 * outputs, j + 4
                while j < columns:
                    store(out, p, _gathered(x, at, places, weight, o, outputs, start))
                    at, p, j = at + step, p + outputs, j + 1


@inlined
def _times(x: Any, at: int, places: Any, k: int, g: Any, sums: Any) -> Any:
    return (
        multiply_add(repeated(x[at + places[k]]), g, sums[0]),
        multiply_add(repeated(x[at + places[k + 1]]), g, sums[1]),
        multiply_add(repeated(x[at + places[k + 2]]), g, sums[2]),
        multiply_add(repeated(x[at + places[k + 3]]), g, sums[3]),
        multiply_add(repeated(x[at + places[k + 4]]), g, sums[4]),
    )


@compiled("void(f4[:,::1], i8[::1], i8, i8, f4[:,:,:,::1], f4[:,::1])")
def _weigh(images: Any, places: Any, line: int, step: int, above: Any, result: Any) -> None:
    count, rows, columns, outputs = above.shape
    x, gradient, total = images.reshape(-1), above.reshape(-1), result.reshape(-1)
    zero = repeated(_ZERO)
    for n in range(count):
        for o in range(0, outputs, LANES):
            for k in range(0, places.size, _TOGETHER):
                # Pixels in turn, because one sum would wait for the other.
                even = odd = (zero, zero, zero, zero, zero)
                for i in range(rows):
                    at = n * images.shape[1] + i * line
                    p = (n * rows + i) * columns * outputs + o
                    for _ in range(columns // 2):
                        even = _times(x, at, places, k, load(gradient, p), even)
                        odd = _times(x, at + step, places, k, load(gradient, p + outputs), odd)
                        at, p = at + 2 * step, p + 2 * outputs
                    if columns % 2:
                        even = _times(x, at, places, k, load(gradient, p), even)
                p = k * outputs + o
                for a, b in zip(even, odd):  # noqa: B905 (numba's has no `strict`)
                    store(total, p, add(load(total, p), add(a, b)))
                    p += outputs


def serves(window: Any, channels: int, outputs: int) -> bool:
    """Tell whether windows hold few enough elements, and outputs fill lanes."""
    return channels * math.prod(window.kernel) <= _MOST and filled_lanes(outputs)


def correlate(x: Array, weight: Array, bias: Array | None, window: Any) -> Array:
    """Correlate x (N, H, W, C) with weight (O, C, kH, kW): (N, H', W', O)."""
    outputs = len(weight)
    rows = weight.transpose(2, 3, 1, 0).flatten()
    if bias is None:
        bias = np.zeros(outputs, np.float32)
    y = np.empty((len(x), *window.output, outputs), np.float32)
    _correlate(*_seen(x, window), rows, bias, y)
    return y


def weight_gradient(x: Array, above: Array, window: Any) -> Array:
    """Return the gradient by the weight, (O, C, kH, kW), from that of the output (N, H', W', O)."""
    images, places, line, step = _seen(x, window)
    more = np.concatenate([places, np.zeros(-len(places) % _TOGETHER, np.int64)])
    total = np.zeros((len(more), above.shape[3]), np.float32)
    _weigh(images, more, line, step, above, total)
    total = total[: len(places)].reshape(*window.kernel, x.shape[3], above.shape[3])
    return total.transpose(3, 2, 0, 1)


def _seen(x: Array, window: Any) -> tuple[Array, Array, int, int]:
    """Return images with zeros around them, as lines of numbers, and where windows lie in them.

    That is the place of each of a window's elements, and how far it is to the next window, below
    and beside.
    """
    count, height, width, channels = x.shape
    (top, left), (tall, wide) = window.before, window.span
    images = np.zeros((count, tall, wide, channels), np.float32)
    first_row, first = max(0, -top), max(0, -left)
    end_row, end = min(height, tall - top), min(width, wide - left)
    if first_row < end_row and first < end:
        rows, columns = slice(top + first_row, top + end_row), slice(left + first, left + end)
        images[:, rows, columns] = x[:, first_row:end_row, first:end]
    (kh, kw), (sh, sw), (dh, dw) = window[:3]
    row, column = np.arange(kh)[:, None] * dh * wide, np.arange(kw) * dw
    places = ((row + column)[..., None] * channels + np.arange(channels)).reshape(-1)
    return images.reshape(count, -1), places, sh * wide * channels, sw * channels
