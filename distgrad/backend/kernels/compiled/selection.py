"""What takes elements or rows and leaves others: relu's gradient, dropout, embeddings."""

from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled.arguments import taken, together
from distgrad.backend.kernels.compiled.compiling import compiled
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN"]

_ZERO = np.float32(0)


@compiled("void(f4[::1], f4[::1], f4[::1])")
def _where_not_zero(g: Any, out: Any, y: Any) -> None:
    for i in range(g.size):
        y[i] = g[i] if out[i] != _ZERO else _ZERO


@compiled("void(f4[::1], b1[::1], f4, f4[::1])")
def _dropped(x: Any, kept: Any, scale: Any, y: Any) -> None:
    for i in range(x.size):
        y[i] = x[i] * (scale if kept[i] else _ZERO)


@compiled("void(f4[::1], f4[::1], b1[::1], f4, f4[::1])")
def _dropped_and_added(x: Any, residual: Any, kept: Any, scale: Any, y: Any) -> None:
    for i in range(x.size):
        y[i] = residual[i] + x[i] * (scale if kept[i] else _ZERO)


@compiled("void(f4[:,::1], i8[::1], i8, f4[:,::1])")
def _add_rows(above: Any, indices: Any, padding: Any, table: Any) -> None:
    for r in range(indices.size):
        row = indices[r]
        if row != padding:
            for i in range(above.shape[1]):
                table[row, i] += above[r, i]


def relu_x(xp: Namespace, g: Array, out: Array) -> Any:
    if g.shape != out.shape:
        return NotImplemented
    if out.flags.c_contiguous:
        return _relu_x(xp, g, out)
    order = sorted(range(out.ndim), key=lambda axis: -out.strides[axis])  # images stay as they lie
    y = _relu_x(xp, g.transpose(order), out.transpose(order))
    return y if y is NotImplemented else y.transpose(np.argsort(order))


def _relu_x(xp: Namespace, g: Array, out: Array) -> Any:
    given = together(g, out)
    if given is None:
        return NotImplemented
    y = xp.empty(g.shape, g.dtype)
    _where_not_zero(given[0].reshape(-1), given[1].reshape(-1), y.reshape(-1))
    return y


def dropout(xp: Namespace, x: Array, kept: Array, scale: Any) -> Any:
    given = together(x)
    if given is None or kept.shape != x.shape:
        return NotImplemented
    y = xp.empty(x.shape, x.dtype)
    _dropped(given[0].reshape(-1), taken(kept).reshape(-1), scale, y.reshape(-1))
    return y


def dropout_add(xp: Namespace, x: Array, residual: Array, kept: Array, scale: Any) -> Any:
    given = together(x, residual)
    if given is None or not x.shape == residual.shape == kept.shape:
        return NotImplemented
    y = xp.empty(x.shape, x.dtype)
    flat = [array.reshape(-1) for array in (*given, taken(kept))]
    _dropped_and_added(*flat, scale, y.reshape(-1))
    return y


def embedding_table(
    xp: Namespace,
    above: Array,
    indices: Array,
    padding: int | None,
    rows: int,
    by_frequency: bool = False,
) -> Any:
    given = together(above)
    if given is None or by_frequency or indices.dtype != np.int64 or not above.size:
        return NotImplemented
    width = above.shape[indices.ndim :]
    table = xp.zeros((rows, *width), above.dtype)
    flat = indices.flatten()
    terms = given[0].reshape(flat.size, -1)
    _add_rows(terms, flat, -1 if padding is None else padding, table.reshape(rows, -1))
    return table


COLUMN: Column = {
    "dropout": dropout,
    "dropout_add": dropout_add,
    "embedding_table": embedding_table,
    "relu_x": relu_x,
}
