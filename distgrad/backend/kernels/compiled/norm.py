"""Layer norm and RMS norm with their gradients, row by row."""

import math
from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled.arguments import together
from distgrad.backend.kernels.compiled.compiling import compiled, inlined
from distgrad.backend.kernels.compiled.sums import distances, dot, total
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN"]

_ONE = np.float32(1)
_BLOCK = 256  # rows that are added up before their sum is added: rounding grows with the blocks


@compiled("void(f4[:,::1], f4[::1], f4[::1])")
def _moments(x: Any, mean: Any, variance: Any) -> None:
    count = np.float32(x.shape[1])
    for r in range(x.shape[0]):
        first = total(x[r]) / count
        rest, squares = distances(x[r], first)
        mean[r] = first + rest / count
        variance[r] = squares / count


@compiled("void(f4[:,::1], f4[::1], f4[::1], f4[::1], f4[::1], f4, f4[:,::1])")
def _normalize(x: Any, mean: Any, variance: Any, weight: Any, bias: Any, eps: Any, y: Any) -> None:
    for r in range(x.shape[0]):
        level, scale = mean[r], _ONE / np.sqrt(variance[r] + eps)
        for i in range(x.shape[1]):
            y[r, i] = (x[r, i] - level) * scale * weight[i] + bias[i]


@compiled("void(f4[:,::1], f4[:,::1], f4[::1], f4[::1], f4[::1], f4, f4[:,::1])")
def _normalize_input(
    above: Any, x: Any, mean: Any, variance: Any, weight: Any, eps: Any, y: Any
) -> None:
    count = np.float32(x.shape[1])
    h, z = np.empty(x.shape[1], np.float32), np.empty(x.shape[1], np.float32)
    for r in range(x.shape[0]):
        level, scale = mean[r], _ONE / np.sqrt(variance[r] + eps)
        for i in range(x.shape[1]):
            h[i] = above[r, i] * weight[i]
            z[i] = (x[r, i] - level) * scale
        shift, slope = total(h) / count, dot(h, z) / count
        for i in range(x.shape[1]):
            y[r, i] = (h[i] - shift - z[i] * slope) * scale


@compiled("void(f4[:,::1], f4[:,::1], f4[::1], f4[::1], f4, f4[::1])")
def _normalize_weight(above: Any, x: Any, mean: Any, variance: Any, eps: Any, y: Any) -> None:
    block = np.empty(x.shape[1], np.float32)
    y[:] = 0
    for start in range(0, x.shape[0], _BLOCK):
        block[:] = 0
        for r in range(start, min(start + _BLOCK, x.shape[0])):
            level, scale = mean[r], _ONE / np.sqrt(variance[r] + eps)
            for i in range(x.shape[1]):
                block[i] += above[r, i] * ((x[r, i] - level) * scale)
        for i in range(x.shape[1]):
            y[i] += block[i]


@inlined
def _inverse_rms(row: Any, eps: Any) -> Any:
    return _ONE / np.sqrt(dot(row, row) / np.float32(row.size) + eps)


@compiled("void(f4[:,::1], f4, f4[:,::1])")
def _rms_normalize(x: Any, eps: Any, y: Any) -> None:
    for r in range(x.shape[0]):
        scale = _inverse_rms(x[r], eps)
        for i in range(x.shape[1]):
            y[r, i] = x[r, i] * scale


@compiled("void(f4[:,::1], f4[:,::1], f4, f4[:,::1])")
def _rms_normalize_input(above: Any, x: Any, eps: Any, y: Any) -> None:
    for r in range(x.shape[0]):
        scale = _inverse_rms(x[r], eps)
        slope = dot(above[r], x[r]) / np.float32(x.shape[1]) * scale * scale
        for i in range(x.shape[1]):
            y[r, i] = (above[r, i] - x[r, i] * slope) * scale


def moments(xp: Namespace, x: Array, axes: tuple[int, ...]) -> Any:
    width, given = _width(x, axes), together(x)
    if not width or given is None:
        return NotImplemented
    rows = given[0].reshape(-1, width)
    mean, variance = xp.empty((2, len(rows), 1), x.dtype)
    _moments(rows, mean.reshape(-1), variance.reshape(-1))
    return mean, variance


def normalize(
    xp: Namespace,
    x: Array,
    weight: Array | None,
    bias: Array | None,
    axes: tuple[int, ...],
    eps: float,
    statistics: Any = None,
) -> Any:
    width = _width(x, axes)
    weight = xp.ones(width, xp.float32) if weight is None else weight
    bias = xp.zeros(width, xp.float32) if bias is None else bias
    given = _with_statistics(xp, x, axes, statistics, weight, bias)
    if given is None:
        return NotImplemented
    y = xp.empty(x.shape, x.dtype)
    mean, variance, weight, bias, x = given
    rows = x.reshape(-1, width)
    _normalize(rows, mean, variance, weight, bias, eps, y.reshape(-1, width))
    return y


def normalize_input(
    xp: Namespace,
    above: Array,
    x: Array,
    weight: Array | None,
    axes: tuple[int, ...],
    eps: float,
    statistics: Any = None,
) -> Any:
    width = _width(x, axes)
    weight = xp.ones(width, xp.float32) if weight is None else weight
    given, gradient = _with_statistics(xp, x, axes, statistics, weight), together(above)
    if given is None or gradient is None or above.shape != x.shape:
        return NotImplemented
    y = xp.empty(x.shape, x.dtype)
    mean, variance, weight, x = given
    above, rows = gradient[0].reshape(-1, width), x.reshape(-1, width)
    _normalize_input(above, rows, mean, variance, weight, eps, y.reshape(-1, width))
    return y


def normalize_weight(
    xp: Namespace,
    above: Array,
    x: Array,
    axes: tuple[int, ...],
    eps: float,
    statistics: Any = None,
) -> Any:
    width = _width(x, axes)
    given, gradient = _with_statistics(xp, x, axes, statistics), together(above)
    if given is None or gradient is None or above.shape != x.shape:
        return NotImplemented
    y = xp.empty([x.shape[axis] for axis in axes], x.dtype)
    mean, variance, x = given
    above, rows = gradient[0].reshape(-1, width), x.reshape(-1, width)
    _normalize_weight(above, rows, mean, variance, eps, y.reshape(-1))
    return y


def _with_statistics(
    xp: Namespace, x: Array, axes: tuple[int, ...], statistics: Any, *others: Array
) -> list[Array] | None:
    """Return mean and variance of the rows, other arrays, and x last; None where not served."""
    statistics = statistics or moments(xp, x, axes)
    if statistics is NotImplemented or not _width(x, axes):
        return None
    given = together(*statistics, *others)
    values = together(x)
    return given and values and [*(array.reshape(-1) for array in given), *values]


def rms_normalize(xp: Namespace, x: Array, axes: tuple[int, ...], eps: float) -> Any:
    width, given = _width(x, axes), together(x)
    if not width or given is None:
        return NotImplemented
    y = xp.empty(x.shape, x.dtype)
    _rms_normalize(given[0].reshape(-1, width), eps, y.reshape(-1, width))
    return y


def rms_normalize_input(
    xp: Namespace, above: Array, x: Array, axes: tuple[int, ...], eps: float
) -> Any:
    width, given = _width(x, axes), together(above, x)
    if not width or given is None or above.shape != x.shape:
        return NotImplemented
    above, x = given
    y = xp.empty(x.shape, x.dtype)
    rows = (-1, width)
    _rms_normalize_input(above.reshape(rows), x.reshape(rows), eps, y.reshape(rows))
    return y


def _width(x: Array, axes: tuple[int, ...]) -> int:
    """Return how long a row is; 0 where what is normalised is no contiguous row."""
    if axes != tuple(range(x.ndim - len(axes), x.ndim)) or not x.size:
        return 0
    return math.prod([x.shape[axis] for axis in axes])


COLUMN: Column = {
    "moments": moments,
    "normalize": normalize,
    "normalize_input": normalize_input,
    "normalize_weight": normalize_weight,
    "rms_normalize": rms_normalize,
    "rms_normalize_input": rms_normalize_input,
}
