"""Softmax cross-entropy."""

from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.devices import to_host
from distgrad.backend.graphs import is_capturing
from distgrad.backend.kernels.cuda.launching import (
    by_row,
    launch,
    one_block,
    served,
    wide,
)

__all__ = ["COLUMN"]


def _rows(xp: Namespace, x: Array, axis: int) -> Array:
    """Return the scores with the classes of each target side by side."""
    return xp.ascontiguousarray(xp.moveaxis(x, axis, -1))


def _targets(xp: Namespace, target: Array) -> Array:
    return xp.ascontiguousarray(target.astype("int64", copy=False))


def cross_entropy(
    xp: Namespace,
    x: Array,
    target: Array,
    axis: int,
    reduction: str,
    ignore_index: int,
    weight: Array | None = None,
) -> Any:
    if not served(x, weight):
        return NotImplemented
    scores, targets = _rows(xp, x, axis), _targets(xp, target)
    rows = targets.size, scores.shape[-1]
    losses, counts = xp.empty(target.shape, wide(x)), xp.empty(target.shape, wide(x))
    given = losses, counts, scores, targets, weight, ignore_index
    launch(xp, "cross_entropy.cross_entropy", x.dtype, by_row(*rows), *given, *rows)
    total, count = _total(xp, x, losses, counts, reduction)
    if not is_capturing(xp) and to_host(xp.isnan(count)):
        return NotImplemented  # a target is no class: the reference says which
    return losses.astype(x.dtype, copy=False) if reduction == "none" else total


def _total(xp: Namespace, x: Array, losses: Array, counts: Array, reduction: str) -> Any:
    """Return the loss in one number, and what all targets count."""
    total, count = xp.empty((), x.dtype), xp.empty((), wide(x))
    given = total, count, losses, counts, int(reduction == "mean"), losses.size
    launch(xp, "cross_entropy.total_loss", x.dtype, one_block(losses.size), *given)
    return total, count


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
    if not served(x, g, weight):
        return NotImplemented
    scores, targets, count = _rows(xp, x, axis), _targets(xp, target), None
    rows = targets.size, scores.shape[-1]
    if reduction == "mean":
        counts = (targets != ignore_index) if weight is None else _weights(targets, weight)
        count = xp.asarray(xp.sum(xp.where(targets == ignore_index, 0, counts), dtype=wide(x)))
    result, g = xp.empty_like(scores), xp.ascontiguousarray(g)
    given = result, g, int(g.size > 1), count, scores, targets, weight, ignore_index
    launch(xp, "cross_entropy.cross_entropy_x", x.dtype, by_row(*rows), *given, *rows)
    return xp.ascontiguousarray(xp.moveaxis(result, -1, axis))


def _weights(targets: Array, weight: Array) -> Array:
    kept = targets * ((targets >= 0) & (targets < len(weight)))
    return weight.astype(wide(weight), copy=False)[kept]


COLUMN = {"cross_entropy": cross_entropy, "cross_entropy_x": cross_entropy_x}
