"""The softmax along any axis, that of attention, and their gradient."""

from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled.arguments import split_axis, together
from distgrad.backend.kernels.compiled.compiling import compiled
from distgrad.backend.kernels.compiled.mathematics import exp_of_negative
from distgrad.backend.kernels.compiled.sums import dot, largest, total
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN"]

_ZERO, _ONE = np.float32(0), np.float32(1)
_LOWEST = np.finfo(np.float32).min  # -inf less that is -inf, and no nan


@compiled("void(f4[:,:,::1], f4, f4[:,:,::1])")
def _softmax_of_columns(x: Any, of_nothing: Any, y: Any) -> None:
    """Along axis 1; ``of_nothing`` is what 1 over the sum shall be where all x are -inf."""
    blocks, rows, width = x.shape
    peak, sums = np.empty(width, np.float32), np.empty(width, np.float32)
    for b in range(blocks):
        peak[:] = _LOWEST
        sums[:] = _ZERO
        for s in range(rows):
            for i in range(width):
                peak[i] = x[b, s, i] if x[b, s, i] > peak[i] else peak[i]
        for s in range(rows):
            for i in range(width):
                e = exp_of_negative(x[b, s, i] - peak[i])
                y[b, s, i] = e
                sums[i] += e
        for i in range(width):
            sums[i] = of_nothing if sums[i] == _ZERO else _ONE / sums[i]
        for s in range(rows):
            for i in range(width):
                y[b, s, i] *= sums[i]


@compiled("void(f4[:,::1], i4[:,::1], f4[:,::1])")
def _softmax_of_rows(x: Any, bits: Any, y: Any) -> None:
    for r in range(x.shape[0]):
        peak = largest(bits[r])
        for i in range(x.shape[1]):
            y[r, i] = exp_of_negative(x[r, i] - peak)
        scale = _ONE / total(y[r])
        for i in range(x.shape[1]):
            y[r, i] *= scale


@compiled("void(f4[:,:,::1], f4[:,:,::1], f4[:,:,::1])")
def _slope_of_columns(g: Any, p: Any, y: Any) -> None:
    blocks, rows, width = g.shape
    sums = np.empty(width, np.float32)
    for b in range(blocks):
        sums[:] = _ZERO
        for s in range(rows):
            for i in range(width):
                sums[i] += g[b, s, i] * p[b, s, i]
        for s in range(rows):
            for i in range(width):
                y[b, s, i] = p[b, s, i] * (g[b, s, i] - sums[i])


@compiled("void(f4[:,::1], f4[:,::1], f4[:,::1])")
def _slope_of_rows(g: Any, p: Any, y: Any) -> None:
    for r in range(g.shape[0]):
        mean = dot(g[r], p[r])
        for i in range(g.shape[1]):
            y[r, i] = p[r, i] * (g[r, i] - mean)


def softmax(xp: Namespace, x: Array, axis: int) -> Any:
    given = together(x)
    if given is None or not x.size or not x.ndim:
        return NotImplemented
    y = xp.empty(x.shape, x.dtype)
    shape = split_axis(x.shape, axis)
    if shape[2] == 1:
        rows = given[0].reshape(shape[:2])
        _softmax_of_rows(rows, rows.view(xp.int32), y.reshape(shape[:2]))
    else:
        _softmax_of_columns(given[0].reshape(shape), xp.inf, y.reshape(shape))
    return y


def softmax_x(xp: Namespace, g: Array, p: Array, axis: int) -> Any:
    given = together(g, p)
    if given is None or not p.size or not p.ndim or g.shape != p.shape:
        return NotImplemented
    y = xp.empty(p.shape, p.dtype)
    shape = split_axis(p.shape, axis)
    if shape[2] == 1:
        rows = shape[:2]
        _slope_of_rows(given[0].reshape(rows), given[1].reshape(rows), y.reshape(rows))
    else:
        _slope_of_columns(given[0].reshape(shape), given[1].reshape(shape), y.reshape(shape))
    return y


def attention_weights(xp: Namespace, scores: Array) -> Any:
    given = together(scores)
    if given is None or not scores.size:
        return NotImplemented
    y = xp.empty(scores.shape, scores.dtype)
    shape = split_axis(scores.shape, -2)
    _softmax_of_columns(given[0].reshape(shape), 0.0, y.reshape(shape))
    return y


COLUMN: Column = {
    "attention_weights": attention_weights,
    "softmax": softmax,
    "softmax_x": softmax_x,
}
