"""Convolution by columns, and pooling, on images (N, C, H, W) that lie as (N, H, W, C)."""

import math
from collections.abc import Iterator
from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.dtypes import in_single
from distgrad.backend.kernels.cuda.launching import (
    by_element,
    constants,
    device_of,
    launch,
    served,
    wide,
)
from distgrad.backend.kernels.cuda.products import multiplied

__all__ = ["COLUMN"]

_COLUMN_BYTES = 256 << 20  # of columns at a time, so that their number fits into 31 bits

Window = Any
"""A `distgrad.ops.window.Window`, which this layer does not know."""


def _served(*arrays: Array | None, made: int = 0) -> bool:
    """Tell whether there are kernels for arrays: they count elements in 31 bits.

    Args:
        *arrays: What is given.
        made: How many elements a kernel makes of them at a time.
    """
    return served(*arrays) and max(made, *(0 if a is None else a.size for a in arrays)) < 2**31


def _last(xp: Namespace, x: Array) -> Array:
    return xp.ascontiguousarray(x.transpose(0, 2, 3, 1))


def _first(x: Array) -> Array:
    return x.transpose(0, 3, 1, 2)


def _described(xp: Namespace, like: Array, window: Window, size: Any) -> Array:
    """Return what the kernels know of a window over images of a size."""
    numbers = tuple(int(n) for pair in (*window, size) for n in pair)
    return constants(xp, device_of(like), numbers, "int32")


def _run(xp: Namespace, name: str, like: Array, to: Array, *args: Any) -> None:
    """Run a kernel in which a thread makes an element of ``to``, the size being its last word."""
    launch(xp, f"window.{name}", like.dtype, by_element(like, 1, to.size), *args, to.size)


def _pieces(count: int, bytes_each: int) -> Iterator[slice]:
    """Cut images into pieces whose columns find room."""
    step = max(1, _COLUMN_BYTES // max(1, bytes_each))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def _column_size(window: Window, channels: int) -> int:
    """Return how many elements the columns of one image have."""
    return int(math.prod(window.kernel) * math.prod(window.output) * channels)


def _columns(xp: Namespace, x: Array, window: Window, groups: int) -> Array:
    """Return for each group a row for each window: (groups, rows, kernel * C / groups)."""
    count, *size, channels = x.shape
    rows, width = count * math.prod(window.output), math.prod(window.kernel) * channels // groups
    y = xp.empty((groups, rows, width), x.dtype)
    _run(xp, "columns", x, y, y, x, _described(xp, x, window, size), channels, groups)
    return y


def _product(xp: Namespace, a: Array, b: Array) -> Array:
    y = multiplied(xp, a, b)
    if y is not NotImplemented:
        return y
    return xp.matmul(in_single(a), in_single(b)).astype(a.dtype, copy=False)


def _matrices(xp: Namespace, weight: Array, groups: int) -> Array:
    return _last(xp, weight).reshape(groups, len(weight) // groups, -1)


def _by_group(rows: Array, groups: int) -> Array:
    return rows.reshape(-1, groups, rows.shape[-1] // groups).swapaxes(0, 1)


def conv2d(
    xp: Namespace, x: Array, weight: Array, bias: Array | None, window: Window, groups: int
) -> Any:
    columns = _column_size(window, x.shape[1])
    if not _served(x, weight, bias, made=columns) or 0 in window.output:
        return NotImplemented
    x, matrices = _last(xp, x), _matrices(xp, weight, groups)
    y = xp.empty((len(x), *window.output, len(weight)), x.dtype)
    for piece in _pieces(len(x), columns * x.itemsize):
        rows = _product(xp, _columns(xp, x[piece], window, groups), matrices.swapaxes(1, 2))
        y[piece] = rows.swapaxes(0, 1).reshape(y[piece].shape)
    if bias is not None:
        y += bias
    return _first(y)


def conv_transpose2d(
    xp: Namespace,
    x: Array,
    weight: Array,
    bias: Array | None,
    window: Window,
    groups: int,
    size: tuple[int, int],
) -> Any:
    channels = weight.shape[1] * groups
    columns = _column_size(window, channels)
    made = max(columns, len(x) * channels * math.prod(size))
    if not _served(x, weight, bias, made=made) or 0 in size:
        return NotImplemented
    x, matrices = _last(xp, x), _matrices(xp, weight, groups)
    y = xp.empty((len(x), *size, channels), x.dtype)
    described = _described(xp, x, window, size)
    for piece in _pieces(len(x), columns * x.itemsize):
        handed = xp.ascontiguousarray(_product(xp, _by_group(x[piece], groups), matrices))
        part = y[piece]
        _run(xp, "from_columns", x, part, part, handed, described, channels, groups)
    if bias is not None:
        y += bias
    return _first(y)


def conv2d_weight(xp: Namespace, x: Array, above: Array, window: Window, groups: int) -> Any:
    columns = _column_size(window, x.shape[1])
    if not _served(x, above, made=columns):
        return NotImplemented
    x, above = _last(xp, x), _last(xp, above)
    depth, outputs = x.shape[3] // groups, above.shape[3]
    total = xp.zeros((groups, outputs // groups, math.prod(window.kernel) * depth), x.dtype)
    for piece in _pieces(len(x), columns * x.itemsize):
        rows = _by_group(above[piece], groups).swapaxes(1, 2)
        total += _product(xp, rows, _columns(xp, x[piece], window, groups))
    return _first(total.reshape(outputs, *window.kernel, depth))


def _max_pool(xp: Namespace, x: Array, window: Window) -> tuple[Array, Array]:
    """Return the largest elements, and their numbers as (N, H, W, C)."""
    x = _last(xp, x)
    count, *size, channels = x.shape
    y = xp.empty((count, *window.output, channels), x.dtype)
    winner = xp.empty(y.shape, "uint32")
    _run(xp, "max_pool", x, y, y, winner, x, _described(xp, x, window, size), channels)
    return _first(y), winner


def _image_size(like: Array, size: Any) -> int:
    return int(math.prod(like.shape[:2]) * math.prod(size))


def max_pool2d(xp: Namespace, x: Array, window: Window) -> Any:
    if not _served(x, made=_image_size(x, window.output)) or 0 in window.output:
        return NotImplemented
    return _max_pool(xp, x, window)[0]


def max_pool2d_x(
    xp: Namespace,
    above: Array,
    x: Array,
    largest: Array,  # noqa: ARG001 (to find it again gives the winners, too)
    window: Window,
) -> Any:
    if not _served(above, x):
        return NotImplemented
    winner, above = _max_pool(xp, x, window)[1], _last(xp, above)
    (count, channels, *size), described = x.shape, _described(xp, x, window, x.shape[2:])
    result = xp.empty((count, *size, channels), x.dtype)
    _run(xp, "max_pool_scatter", x, result, result, above, winner, described, channels)
    return _first(result)


def _counts(xp: Namespace, like: Array, counts: Any) -> list[Array]:
    return [constants(xp, device_of(like), tuple(count), wide(like)) for count in counts]


def avg_pool2d(xp: Namespace, x: Array, window: Window, counts: Any) -> Any:
    if not _served(x, made=_image_size(x, window.output)) or 0 in window.output:
        return NotImplemented
    x = _last(xp, x)
    count, *size, channels = x.shape
    y = xp.empty((count, *window.output, channels), x.dtype)
    divisors = _counts(xp, x, counts)
    _run(xp, "avg_pool", x, y, y, x, _described(xp, x, window, size), *divisors, channels)
    return _first(y)


def avg_pool2d_input(
    xp: Namespace, above: Array, window: Window, counts: Any, size: tuple[int, int]
) -> Any:
    if not _served(above, made=_image_size(above, size)) or 0 in size:
        return NotImplemented
    above = _last(xp, above)
    channels = above.shape[3]
    x = xp.empty((len(above), *size, channels), above.dtype)
    divisors = _counts(xp, x, counts)
    described = _described(xp, x, window, size)
    _run(xp, "avg_pool_input", x, x, x, above, described, *divisors, channels)
    return _first(x)


COLUMN = {
    "avg_pool2d": avg_pool2d,
    "avg_pool2d_input": avg_pool2d_input,
    "conv2d": conv2d,
    "conv2d_weight": conv2d_weight,
    "conv_transpose2d": conv_transpose2d,
    "max_pool2d": max_pool2d,
    "max_pool2d_x": max_pool2d_x,
}
