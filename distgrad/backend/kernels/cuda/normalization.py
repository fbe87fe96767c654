"""Layer norm and RMS norm over the last axes."""

import math
from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import by_column, by_row, launch, served, wide
from distgrad.backend.kernels.cuda.sums import total_columns

__all__ = ["COLUMN"]

Axes = tuple[int, ...]


def _rows(x: Array, axes: Axes, *others: Array | None) -> Any:
    """Return how many rows there are and how long they are, or None where no kernel serves them."""
    last = axes == tuple(range(x.ndim - len(axes), x.ndim))
    if not last or not served(x, *others):
        return None
    width = math.prod(x.shape[axis] for axis in axes)
    return x.size // width, width


def normalize(
    xp: Namespace,
    x: Array,
    weight: Array | None,
    bias: Array | None,
    axes: Axes,
    eps: float,
    statistics: Any = None,  # noqa: ARG001 (the kernels find the moments of x as they read it)
) -> Any:
    rows = _rows(x, axes, weight, bias)
    if rows is None:
        return NotImplemented
    x = xp.ascontiguousarray(x)
    y = xp.empty_like(x)
    launch(xp, "normalize.normalize", x.dtype, by_row(*rows), y, x, weight, bias, float(eps), *rows)
    return y


def normalize_input(
    xp: Namespace,
    above: Array,
    x: Array,
    weight: Array | None,
    axes: Axes,
    eps: float,
    statistics: Any = None,  # noqa: ARG001
) -> Any:
    rows = _rows(x, axes, above, weight)
    if rows is None:
        return NotImplemented
    x, above = xp.ascontiguousarray(x), xp.ascontiguousarray(above)
    y = xp.empty_like(x)
    kernel = "normalize.normalize_input"
    launch(xp, kernel, x.dtype, by_row(*rows), y, above, x, weight, float(eps), *rows)
    return y


def normalize_weight(
    xp: Namespace,
    above: Array,
    x: Array,
    axes: Axes,
    eps: float,
    statistics: Any = None,  # noqa: ARG001
) -> Any:
    rows = _rows(x, axes, above)
    if rows is None:
        return NotImplemented
    x, above = xp.ascontiguousarray(x), xp.ascontiguousarray(above)
    found = xp.empty((rows[0], 2), wide(x))
    launch(xp, "normalize.row_moments", x.dtype, by_row(*rows), found, x, float(eps), *rows)
    shape, chunk = by_column(*rows)
    partial = xp.empty((shape[0][1], rows[1]), wide(x))
    kernel = "normalize.normalize_weight"
    launch(xp, kernel, x.dtype, shape, partial, above, x, found, *rows, chunk)
    return total_columns(xp, partial, xp.empty([x.shape[axis] for axis in axes], x.dtype))


def rms_normalize(xp: Namespace, x: Array, axes: Axes, eps: float) -> Any:
    rows = _rows(x, axes)
    if rows is None:
        return NotImplemented
    x = xp.ascontiguousarray(x)
    y = xp.empty_like(x)
    launch(xp, "normalize.rms_normalize", x.dtype, by_row(*rows), y, x, float(eps), *rows)
    return y


def rms_normalize_input(xp: Namespace, above: Array, x: Array, axes: Axes, eps: float) -> Any:
    rows = _rows(x, axes, above)
    if rows is None:
        return NotImplemented
    x, above = xp.ascontiguousarray(x), xp.ascontiguousarray(above)
    y = xp.empty_like(x)
    kernel = "normalize.rms_normalize_input"
    launch(xp, kernel, x.dtype, by_row(*rows), y, above, x, float(eps), *rows)
    return y


COLUMN = {
    "normalize": normalize,
    "normalize_input": normalize_input,
    "normalize_weight": normalize_weight,
    "rms_normalize": rms_normalize,
    "rms_normalize_input": rms_normalize_input,
}
