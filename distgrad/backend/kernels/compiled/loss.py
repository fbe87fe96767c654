"""Cross-entropy of scores and classes, mean squared error, and their gradients."""

from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled.arguments import together
from distgrad.backend.kernels.compiled.compiling import compiled, reassociated
from distgrad.backend.kernels.compiled.mathematics import exp_of_negative
from distgrad.backend.kernels.compiled.sums import largest, total
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN"]

_WRONG = -1
_BLOCK = 4096  # terms that are added up in float32


@compiled("Tuple((f8, i8))(f4[:,::1], i4[:,::1], i8[::1], i8, f4[::1])")
def _losses(x: Any, bits: Any, target: Any, ignored: Any, losses: Any) -> Any:
    """The sum of the losses and how many there are, `_WRONG` if a target is no class."""
    exponentials = np.empty(x.shape[1], np.float32)
    result, count = 0.0, 0
    for r in range(x.shape[0]):
        losses[r] = 0
        place = target[r]
        if place == ignored:
            continue
        if place < 0 or place >= x.shape[1]:
            return result, _WRONG
        peak = largest(bits[r])
        for i in range(x.shape[1]):
            exponentials[i] = exp_of_negative(x[r, i] - peak)
        losses[r] = np.log(total(exponentials)) - (x[r, place] - peak)
        result += losses[r]
        count += 1
    return result, count


@compiled("void(f4[:,::1], i4[:,::1], i8[::1], i8, f4[::1], f4[:,::1])")
def _slopes(x: Any, bits: Any, target: Any, ignored: Any, above: Any, y: Any) -> None:
    for r in range(x.shape[0]):
        place = target[r]
        if place == ignored:
            y[r] = 0
            continue
        peak = largest(bits[r])
        for i in range(x.shape[1]):
            y[r, i] = exp_of_negative(x[r, i] - peak)
        scale = above[r] / total(y[r])
        for i in range(x.shape[1]):
            y[r, i] *= scale
        y[r, place] -= above[r]


@reassociated
def _squared_distances(x: Any, target: Any) -> Any:
    result = np.float32(0)
    for i in range(x.size):
        distance = x[i] - target[i]
        result += distance * distance
    return result


@compiled("f8(f4[::1], f4[::1])")
def _squared_distance(x: Any, target: Any) -> Any:
    result = 0.0
    for start in range(0, x.size, _BLOCK):
        end = start + _BLOCK
        result += _squared_distances(x[start:end], target[start:end])
    return result


@compiled("void(f4, f4[::1], f4[::1], f4[::1])")
def _times_difference(factor: Any, x: Any, target: Any, y: Any) -> None:
    for i in range(x.size):
        y[i] = factor * (x[i] - target[i])


def mse_loss(xp: Namespace, x: Array, target: Array, reduction: str) -> Any:
    given = together(x, target)
    if given is None or reduction == "none" or x.shape != target.shape or not x.size:
        return NotImplemented
    total = _squared_distance(given[0].reshape(-1), given[1].reshape(-1))
    return xp.float32(total / x.size if reduction == "mean" else total)


def mse_loss_x(xp: Namespace, g: Array, x: Array, target: Array, reduction: str) -> Any:
    given = together(x, target)
    if given is None or reduction == "none" or x.shape != target.shape or not x.size:
        return NotImplemented
    if g.dtype != x.dtype or g.ndim:
        return NotImplemented
    y = xp.empty(x.shape, x.dtype)
    factor = 2 * float(g) / (x.size if reduction == "mean" else 1)
    _times_difference(factor, given[0].reshape(-1), given[1].reshape(-1), y.reshape(-1))
    return y


def cross_entropy(
    xp: Namespace,
    x: Array,
    target: Array,
    axis: int,
    reduction: str,
    ignore_index: int,
    weight: Array | None = None,
) -> Any:
    given = together(x)
    if given is None or not _serves(x, target, axis, weight):
        return NotImplemented
    losses = xp.empty(target.shape, x.dtype)
    bits = given[0].view(xp.int32)
    result, count = _losses(given[0], bits, target, ignore_index, losses)
    if count == _WRONG:
        return NotImplemented  # the reference says which
    if reduction == "none":
        return losses
    return xp.float32(result if reduction == "sum" else result / (count or xp.nan))


def cross_entropy_x(
    xp: Namespace,
    g: Array,
    x: Array,
    target: Array,
    axis: int,
    reduction: str,
    ignore_index: int,
    weight: Array | None = None,
) -> Any:
    given = together(x)
    if given is None or g.dtype != x.dtype or not _serves(x, target, axis, weight):
        return NotImplemented
    above = xp.empty(target.shape, x.dtype)
    above[...] = g / max((target != ignore_index).sum(), 1) if reduction == "mean" else g
    y = xp.empty(x.shape, x.dtype)
    _slopes(given[0], given[0].view(xp.int32), target, ignore_index, above, y)
    return y


def _serves(x: Array, target: Array, axis: int, weight: Array | None) -> bool:
    return (
        x.ndim == 2
        and axis == 1
        and x.size > 0
        and target.dtype == np.int64
        and target.flags.carray
        and weight is None
    )


COLUMN: Column = {
    "cross_entropy": cross_entropy,
    "cross_entropy_x": cross_entropy_x,
    "mse_loss": mse_loss,
    "mse_loss_x": mse_loss_x,
}
