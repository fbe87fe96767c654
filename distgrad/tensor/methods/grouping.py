"""Reductions of the elements that go to one place, which differ in number."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend import Array, array_namespace, to_host
from distgrad.backend.dtypes import DType, is_floating

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["reduced_groups"]


def reduced_groups(
    x: "Tensor", index: tuple[Array, ...], source: Any, reduce: str, include_self: bool
) -> "Tensor":
    """Return a copy of ``x`` with the source's elements reduced at ``index``.

    What goes to one place becomes a row of a matrix, filled up with what does not count: then the
    reduction of rows has the gradients, of every order and at ties and zeros too.
    """
    op, neutral = _reduction(reduce, x.dtype)
    xp = array_namespace(x.data)
    targets = xp.arange(x.numel()).reshape(x.shape)[index].reshape(-1)
    places, row, count = xp.unique(targets, return_inverse=True, return_counts=True)
    order = xp.argsort(row, kind="stable")
    column = xp.empty_like(row)
    column[order] = xp.arange(len(row)) - xp.repeat(xp.cumsum(count) - count, count)
    width = int(to_host(count.max())) + include_self
    rows = xp.full((len(places), width), neutral, x.dtype)
    flat = x._apply(ops.reshape, source, shape=(-1,))
    rows = x._apply(ops.assign, rows, flat, index=(row, column + include_self))
    line = x.ravel()
    if include_self:
        rows = x._apply(ops.assign, rows, line[places], index=(slice(None), 0))
    reduced = x._apply(op, rows, axis=1)
    return x._apply(ops.assign, line, reduced, index=places).reshape(x.shape)


def _reduction(reduce: str, dtype: DType) -> tuple[ops.Op, Any]:
    """Return the op, and the element that changes no result of it."""
    if reduce == "prod":
        return ops.prod, 1
    if is_floating(dtype):
        lowest, highest = -math.inf, math.inf
    elif dtype.kind == "b":
        lowest, highest = False, True
    else:
        limits = np.iinfo(dtype)
        lowest, highest = limits.min, limits.max
    return (ops.amax, lowest) if reduce == "amax" else (ops.amin, highest)
