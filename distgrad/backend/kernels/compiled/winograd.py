"""Convolution with 3 x 3 kernels in four ninths of the products: Winograd's F(2x2, 3x3).

A tile of 2 x 2 pixels of the output sees 4 x 4 of the image. Sums and differences of these, and of
the kernel's elements, are multiplied as 16 matrix products over the channels; sums and differences
of the products are the output. `distgrad.ops.winograd` has the formulas, for rows alone.

A. Lavin, S. Gray, "Fast algorithms for convolutional neural networks", arXiv:1509.09308.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from distgrad.backend import Array
from distgrad.backend.kernels.compiled.compiling import compiled, inlined
from distgrad.backend.kernels.compiled.images import filled_lanes
from distgrad.backend.kernels.compiled.lanes import LANES, add, load, repeated, store, subtract

__all__ = ["correlate", "serves", "weight_gradient"]

_BLOCK_BYTES = 5 << 18  # of sums and products: about what a second-level cache holds
_ZERO = np.float32(0)
_IMAGES, _TILES = "f4[:,:,:,::1]", "f4[:,:,::1]"

_LINE = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
_OF_KERNEL = np.kron(_LINE, _LINE).astype(np.float32)
"""(16, 9): what stands in for the elements of a kernel."""
_TO_KERNEL = np.kron(_LINE.T, _LINE.T).astype(np.float32)
"""(9, 16): its gradient, from that of the 16."""


@inlined
def _four_sums(a: Any, b: Any, c: Any, d: Any) -> Any:
    return subtract(a, c), add(b, c), subtract(c, b), subtract(b, d)


@inlined
def _sums_down(image: Any, at: int, line: int) -> Any:
    return _four_sums(
        load(image, at),
        load(image, at + line),
        load(image, at + 2 * line),
        load(image, at + 3 * line),
    )


@inlined
def _put(out: Any, at: int, step: int, four: Any) -> int:
    store(out, at, four[0])
    store(out, at + step, four[1])
    store(out, at + 2 * step, four[2])
    store(out, at + 3 * step, four[3])
    return at + 4 * step


@compiled(f"void({_IMAGES}, i8, i8, i8, i8, {_TILES})")
def _to_tiles(x: Any, top: int, left: int, rows: int, columns: int, tiles: Any) -> None:
    count, height, width, channels = x.shape
    line = (2 * columns + 2) * channels
    pixels = x.reshape(-1)
    image = np.zeros((2 * rows + 2) * line, np.float32)  # one, with zeros around it
    first_row, first = max(0, -top), max(0, -left)
    end_row, end = min(height, 2 * rows + 2 - top), min(width, 2 * columns + 2 - left)
    out, step = tiles.reshape(-1), tiles.shape[1] * channels
    p = 0
    for n in range(count):
        for row in range(first_row, end_row):
            at = (top + row) * line + (left + first) * channels
            start = ((n * height + row) * width + first) * channels
            for c in range(0, (end - first) * channels, LANES):
                store(image, at + c, load(pixels, start + c))
        for i in range(rows):
            for j in range(columns):
                for c in range(0, channels, LANES):
                    at = 2 * i * line + 2 * j * channels + c
                    a = _sums_down(image, at, line)
                    b = _sums_down(image, at + channels, line)
                    d = _sums_down(image, at + 2 * channels, line)
                    e = _sums_down(image, at + 3 * channels, line)
                    q = _put(out, p, step, _four_sums(a[0], b[0], d[0], e[0]))
                    q = _put(out, q, step, _four_sums(a[1], b[1], d[1], e[1]))
                    q = _put(out, q, step, _four_sums(a[2], b[2], d[2], e[2]))
                    _put(out, q, step, _four_sums(a[3], b[3], d[3], e[3]))
                    p += LANES


@inlined
def _two_sums(a: Any, b: Any, c: Any, d: Any) -> Any:
    return add(add(a, b), c), subtract(subtract(b, c), d)


@inlined
def _products_down(products: Any, at: int, step: int) -> Any:
    return _two_sums(
        load(products, at),
        load(products, at + 4 * step),
        load(products, at + 8 * step),
        load(products, at + 12 * step),
    )


@inlined
def _put_pair(out: Any, at: int, channels: int, beside: bool, shift: Any, pair: Any) -> None:
    store(out, at, add(pair[0], shift))
    if beside:
        store(out, at + channels, add(pair[1], shift))


@compiled(f"void({_TILES}, f4[::1], i8, i8, {_IMAGES})")
def _from_tiles(tiles: Any, bias: Any, rows: int, columns: int, y: Any) -> None:
    count, height, width, channels = y.shape
    products, step = tiles.reshape(-1), tiles.shape[1] * channels
    out, line = y.reshape(-1), width * channels
    p = 0
    for n in range(count):
        for i in range(rows):
            for j in range(columns):
                corner = ((n * height + 2 * i) * width + 2 * j) * channels
                for c in range(0, channels, LANES):
                    a = _products_down(products, p, step)
                    b = _products_down(products, p + step, step)
                    d = _products_down(products, p + 2 * step, step)
                    e = _products_down(products, p + 3 * step, step)
                    p += LANES
                    shift, beside = load(bias, c), 2 * j + 1 < width
                    pair = _two_sums(a[0], b[0], d[0], e[0])
                    _put_pair(out, corner + c, channels, beside, shift, pair)
                    if 2 * i + 1 < height:
                        pair = _two_sums(a[1], b[1], d[1], e[1])
                        _put_pair(out, corner + c + line, channels, beside, shift, pair)


@inlined
def _four_parts(a: Any, b: Any) -> Any:
    return a, add(a, b), subtract(a, b), subtract(repeated(_ZERO), b)


@compiled(f"void({_IMAGES}, i8, i8, {_TILES})")
def _spread(above: Any, rows: int, columns: int, tiles: Any) -> None:
    count, height, width, channels = above.shape
    seen, line = above.reshape(-1), width * channels
    out, step = tiles.reshape(-1), tiles.shape[1] * channels
    zero = repeated(_ZERO)
    p = 0
    for n in range(count):
        for i in range(rows):
            below = 2 * i + 1 < height
            for j in range(columns):
                beside = 2 * j + 1 < width
                corner = ((n * height + 2 * i) * width + 2 * j) * channels
                for c in range(0, channels, LANES):
                    at = corner + c
                    a = load(seen, at)
                    b = load(seen, at + channels) if beside else zero
                    d = load(seen, at + line) if below else zero
                    e = load(seen, at + line + channels) if below and beside else zero
                    first, second = _four_parts(a, d), _four_parts(b, e)
                    q = _put(out, p, step, _four_parts(first[0], second[0]))
                    q = _put(out, q, step, _four_parts(first[1], second[1]))
                    q = _put(out, q, step, _four_parts(first[2], second[2]))
                    _put(out, q, step, _four_parts(first[3], second[3]))
                    p += LANES


def serves(window: Any, channels: int, outputs: int) -> bool:
    """Tell whether windows are 3 x 3 and side by side, over channels that fill lanes."""
    return (
        window[:3] == ((3, 3), (1, 1), (1, 1))
        and min(window.output) > 1
        and filled_lanes(channels, outputs)
    )


def correlate(x: Array, weight: Array, bias: Array | None, window: Any) -> Array:
    """Correlate x (N, H, W, C) with weight (O, C, 3, 3): (N, H', W', O)."""
    outputs, channels = weight.shape[:2]
    weights = _OF_KERNEL @ weight.transpose(2, 3, 1, 0).reshape(9, channels * outputs)
    weights = weights.reshape(16, channels, outputs)
    if bias is None:
        bias = np.zeros(outputs, np.float32)
    y = np.empty((len(x), *window.output, outputs), np.float32)
    room = None
    for place, rows, columns, tiles in _blocks(x, window, outputs):
        if room is None:
            room = np.empty((16, tiles.shape[1], outputs), np.float32)
        products = room.reshape(-1)[: 16 * tiles.shape[1] * outputs].reshape(16, -1, outputs)
        np.matmul(tiles, weights, out=products)
        _from_tiles(products, bias, rows, columns, y[place])
    return y


def weight_gradient(x: Array, above: Array, window: Any) -> Array:
    """Return the gradient by the weight, (O, C, 3, 3), from that of the output (N, H', W', O)."""
    outputs, channels = above.shape[3], x.shape[3]
    total = np.zeros((16, outputs, channels), np.float32)
    for place, rows, columns, tiles in _blocks(x, window, outputs):
        spread = np.empty((16, tiles.shape[1], outputs), np.float32)
        _spread(above[place], rows, columns, spread)
        total += np.matmul(spread.transpose(0, 2, 1), tiles)
    gradient = _TO_KERNEL @ total.reshape(16, outputs * channels)
    return gradient.reshape(3, 3, outputs, channels).transpose(2, 3, 0, 1)


def _blocks(x: Array, window: Any, outputs: int) -> Iterator[tuple[Any, int, int, Array]]:
    """Cut the output into blocks of images, or bands of one: (place, rows and columns of tiles).

    With each come the sums of its tiles (16, tiles, C), overwritten by those of the next.
    """
    (height, width), channels = window.output, x.shape[3]
    tall, wide = -(-height // 2), -(-width // 2)
    lines = max(1, _BLOCK_BYTES // (16 * x.itemsize * wide * (channels + outputs)))
    images, rows = max(1, lines // tall), min(lines, tall)
    room = np.empty(16 * min(images, len(x)) * rows * wide * channels, np.float32)
    for first in range(0, len(x), images):
        part = x[first : first + images]
        for row in range(0, tall, rows):
            here = min(rows, tall - row)
            size = 16 * len(part) * here * wide * channels
            tiles = room[:size].reshape(16, -1, channels)
            top = window.before[0] - 2 * row
            _to_tiles(part, top, window.before[1], here, wide, tiles)
            place = slice(first, first + images), slice(2 * row, 2 * (row + here))
            yield place, here, wide, tiles
