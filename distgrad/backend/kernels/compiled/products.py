"""Products of two matrices of which one is small: the large one is not moved.

BLAS copies both factors before it multiplies, which pays when each is used hundreds of times; the
weight of a layer is used as often as a micro-batch has rows. Here the left factor is read where it
is, number by number, and of the right one only panels are copied, as wide as a tile. Factors with
gaps between their numbers are copied as a whole.

An element of the result is a sum over terms in order, in runs of `_RUN`, whatever the shape: the
bits of a row of the result do not depend on how many there are.
"""

from typing import Any

import numpy as np
from numba.core import types

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled.arguments import taken
from distgrad.backend.kernels.compiled.compiling import compiled, inlined
from distgrad.backend.kernels.compiled.lanes import LANES, add, load, store
from distgrad.backend.kernels.compiled.panels import copy, turn
from distgrad.backend.kernels.compiled.tile import (
    NARROW_ROWS,
    SERVED,
    WIDE,
    WIDE_ROWS,
    narrow_tile,
    wide_tile,
)
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN", "NO_BIAS", "multiplied"]

_RUN = 256
"""Terms that are added to each other before they are added to the result."""
_FEW = 128
"""Rows of the left factor for which a panel of the right one is not worth a copy."""
_LEAST, _MOST = 1 << 20, 256
"""Terms of a product in all, and of its shortest side, between which BLAS takes longer."""
_SINGLE = np.dtype(np.float32)
_GIVEN = types.Array(types.float32, 1, "C", readonly=True)
_MATRIX = _GIVEN, types.intp, types.intp
_KIND = types.void(*_MATRIX, *_MATRIX, types.intp, _GIVEN, types.float32[:, ::1])
NO_BIAS = np.empty(0, np.float32)


@inlined
def _room(size: int) -> Any:
    """Room for numbers, from a place on where lanes lie within a line of the cache."""
    room = np.empty(size + LANES, np.float32)
    first = -(room.ctypes.data // 4) % LANES
    return room[first : first + size]


@inlined
def _put(a: Any, b: Any, rows: int, terms: int, width: int, out: Any, adds: bool) -> None:
    """Write ``a @ b``, of so many rows and columns, or add it."""
    (left, first, down, along), (right, top, step), (y, to, line) = a, b, out
    if width == WIDE:
        for i in range(0, rows, WIDE_ROWS):
            wide_tile(
                left, first + i * down, down, along, rows - i,
                right, top, step, terms, y, to + i * line, line, adds,
            )  # fmt: skip
    else:
        for i in range(0, rows, NARROW_ROWS):
            narrow_tile(
                left, first + i * down, down, along, rows - i,
                right, top, step, terms, y, to + i * line, line, adds,
            )  # fmt: skip


@inlined
def _fill(
    a: Any, b: Any, rows: int, terms: int, there: int, width: int, panel: Any, out: Any
) -> None:
    """Write ``a @ b``, of so many rows and of ``there`` columns, in runs of the terms.

    Of a whole panel's columns those that are not there get any value.
    """
    (left, _, down, along), (right, first, step, apart) = a, b
    for p in range(0, terms, _RUN):
        run, at = min(_RUN, terms - p), first + p * step
        beyond, at_panel, line = right, at, step
        if apart != 1 or there < width or rows > _FEW:
            beyond, at_panel, line = panel, 0, width
            if apart == 1:
                copy((right, at, step), run, there, (panel, 0, width))
            else:
                turn((right, at, apart), there, run, (panel, 0, width), True)
        _put((left, p * along, down, along), (beyond, at_panel, line), rows, run, width, out, p > 0)


@inlined
def _shift(y: Any, rows: int, bias: Any, first: int, end: int) -> None:
    """Add to each row the bias from the place ``first`` to ``end``."""
    y, to, line = y
    whole = first + (end - first) // LANES * LANES
    for i in range(rows if bias.size else 0):
        at = to + i * line
        for j in range(first, whole, LANES):
            store(y, at + j, add(load(y, at + j), load(bias, j)))
        for j in range(whole, end):
            y[at + j] += bias[j]


@inlined
def _width(left: int) -> int:
    """The columns of the next panel: a wide tile that is filled by more than half is worth it."""
    return WIDE if left > WIDE // 2 else LANES


@compiled(_KIND, SERVED)
def _multiply(
    a: Any, down: int, along: int, b: Any, step: int, apart: int, terms: int, bias: Any, result: Any
) -> None:
    """Write ``a @ b + bias``; matrices have steps from row to row and along a row."""
    rows, columns = result.shape
    y, panel = result.reshape(-1), _room(_RUN * WIDE)
    last = _width(columns % WIDE)
    beside = _room(rows * last if columns % last else 0)
    j = 0
    while j < columns:
        width = _width(columns - j)
        there = min(width, columns - j)
        out = (y, j, columns) if there == width else (beside, 0, width)
        left, right = (a, 0, down, along), (b, j * apart, step, apart)
        _fill(left, right, rows, terms, there, width, panel, out)
        if there < width:
            copy(out, rows, there, (y, j, columns))
        _shift((y, 0, columns), rows, bias, j, j + there)
        j += there


@compiled(_KIND, SERVED)
def _multiply_turned(
    a: Any, down: int, along: int, b: Any, step: int, apart: int, terms: int, bias: Any, result: Any
) -> None:
    """Write the transpose of ``a @ b``, plus the bias."""
    columns, rows = result.shape
    y, panel = result.reshape(-1), _room(_RUN * WIDE)
    beside = _room(rows * _width(columns))
    j = 0
    while j < columns:
        width = _width(columns - j)
        there = min(width, columns - j)
        out = (beside, 0, width)
        left, right = (a, 0, down, along), (b, j * apart, step, apart)
        _fill(left, right, rows, terms, there, width, panel, out)
        turn(out, rows, there, (y, j * rows, rows), False)
        _shift((y, j * rows, rows), there, bias, 0, rows)
        j += there


def _served(*arrays: Array) -> bool:
    return all(type(x) is np.ndarray and x.dtype == _SINGLE for x in arrays)


def _pays(rows: int, terms: int, columns: int) -> bool:
    """Tell whether a product takes less time here than in BLAS."""
    return (
        rows * terms * columns >= _LEAST
        and min(rows, columns) >= LANES
        and min(rows, terms, columns) <= _MOST
    )


def _flat(x: Array) -> tuple[Array, int, int]:
    """Return the numbers of a matrix in a row, and the steps from row to row and along one."""
    if not x.flags.aligned or not x.flags.forc:
        x = x.copy("C")
    if x.flags.c_contiguous:
        return x.reshape(-1), x.shape[1], 1
    return x.T.reshape(-1), 1, x.shape[0]


def multiplied(a: Array, b: Array, bias: Array, into: Array | None = None) -> Array:
    """Return ``a @ b + bias`` of matrices of float32; the bias may be `NO_BIAS`."""
    (rows, terms), columns = a.shape, b.shape[1]
    y = np.empty((rows, columns), np.float32) if into is None else into
    (left, down, along), (right, step, apart) = _flat(a), _flat(b)
    if apart != 1 and rows <= columns:
        _multiply_turned(right, apart, step, left, along, down, terms, bias, y)
    else:
        _multiply(left, down, along, right, step, apart, terms, bias, y)
    return y


def product(xp: Namespace, a: Array, b: Array, into: Array | None = None) -> Any:
    del xp
    if not a.ndim == b.ndim == 2 or a.shape[1] != b.shape[0] or not _pays(len(a), *b.shape):
        return NotImplemented
    return multiplied(a, b, NO_BIAS, into) if _served(a, b) else NotImplemented


def linear(xp: Namespace, x: Array, weight: Array, bias: Array | None) -> Any:
    del xp
    if x.ndim < 2 or weight.ndim != 2 or x.shape[-1] != weight.shape[1]:
        return NotImplemented
    columns, terms = weight.shape
    if not _pays(x.size // (terms or 1), terms, columns) or not _served(x, weight):
        return NotImplemented
    if bias is not None and (bias.shape != (columns,) or not _served(bias)):
        return NotImplemented
    rows = x.reshape(-1, terms)
    y = multiplied(rows, weight.T, NO_BIAS if bias is None else taken(bias))
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], columns)


COLUMN: Column = {"linear": linear, "matmul": product, "product": product} if SERVED else {}
