"""Attention without the scores in memory, and its gradients."""

import math
from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import (
    MOST_BLOCKS,
    Launch,
    constants,
    device_of,
    launch,
    served,
    wide,
)

__all__ = ["COLUMN"]

_TILE = 32  # queries, keys, and the numbers that HEAD is a multiple of
_ROWS_AT_ONCE = 8  # warps of a block where each takes whole rows
_HALF = ("float16", "bfloat16")  # what the matrix units take
_HALF_WARPS, _HALF_ROWS = 4, 64  # of a block there
_LEAST_CAPABILITY = 80  # 8.0: from there on the units multiply 16 rows by 16
_MOST_BYTES = 128  # of a row in shared memory, in units of HEAD


class _Heads:
    """Queries, keys and values of (3, ..., L, E), as (batch, heads, L, E) each."""

    def __init__(self, xp: Namespace, stacked: Array, scale: float, causal: Array | None) -> None:
        self.xp = xp
        self.given = stacked
        if stacked.ndim != 5 or stacked.strides[-1] != stacked.itemsize:
            stacked = xp.ascontiguousarray(stacked)
            stacked = stacked.reshape(3, 1, -1, *stacked.shape[-2:])
        self.parts = [stacked[0], stacked[1], stacked[2]]
        self.batch, self.heads, self.length, self.width = self.parts[0].shape
        self.rest = float(scale), int(causal is not None)
        self.size = -(-self.width // _TILE) * _TILE

    @property
    def sizes(self) -> tuple[Any, ...]:
        return self.heads, self.length, self.length, self.width, *self.rest

    @property
    def is_half(self) -> bool:
        return self.given.dtype.name in _HALF

    def blocks(self, each: int, warps: int) -> Launch:
        return (-(-self.length // each), self.batch * self.heads), (_TILE, warps)

    def strides(self, *others: Array) -> Array:
        """Return the strides of the three and of further arrays, on the device."""
        arrays = [*self.parts, *others]
        steps = [step // a.itemsize for a in arrays for step in a.strides[:3]]
        return constants(self.xp, device_of(self.given), tuple(steps), "int64")

    def row_numbers(self) -> Array:
        """Return room for a number for each query."""
        return self.xp.empty((self.batch, self.heads, self.length), wide(self.given))

    def like_output(self) -> Array:
        """Return room for an output, in which the heads of a row lie side by side."""
        shape = self.batch, self.length, self.heads, self.width
        return self.xp.empty(shape, self.given.dtype).swapaxes(1, 2)

    def launch(self, kernel: str, shape: Launch, *args: Any, shared: int = 0) -> None:
        how = {"size": self.size, "shared": shared}
        launch(self.xp, kernel, self.given.dtype, shape, *args, **how)

    def launch_tiles(self, name: str, *args: Any, tiles: int = 0) -> None:
        """Run a kernel that works on tiles, with shared memory for so many of them."""
        if self.is_half:
            self.launch(f"tensor_attention.{name}", self.blocks(_HALF_ROWS, _HALF_WARPS), *args)
            return
        size = 8 if self.given.dtype.name == "float64" else 4
        shared = tiles * _TILE * (self.size + 1) * size
        shape = self.blocks(_TILE, _ROWS_AT_ONCE)
        self.launch(f"attention.{name}", shape, *args, shared=shared)

    def attend(self) -> tuple[Array, Array]:
        """Return the output, and the logarithm of each query's sum of exponentials."""
        y, logs = self.like_output(), self.row_numbers()
        self.launch_tiles("attention", y, logs, *self.parts, self.strides(y), *self.sizes)
        return y, logs


def _fits(stacked: Array) -> bool:
    size = 8 if stacked.dtype.name == "float64" else 4
    return (
        served(stacked)
        and stacked.shape[-1] * size <= _MOST_BYTES * 4
        and math.prod(stacked.shape[1:-2]) <= MOST_BLOCKS
        and (stacked.dtype.name not in _HALF or _has_units(stacked))
    )


def _has_units(stacked: Array) -> bool:
    """Tell whether the GPU has the matrix units; what runs kernels on the host has them."""
    device = getattr(stacked, "device", None)
    return int(getattr(device, "compute_capability", _LEAST_CAPABILITY)) >= _LEAST_CAPABILITY


def attention(xp: Namespace, stacked: Array, scale: float, causal: Array | None = None) -> Any:
    if not _fits(stacked):
        return NotImplemented
    y, _ = _Heads(xp, stacked, scale, causal).attend()
    return y.reshape(stacked.shape[1:])


def attention_x(
    xp: Namespace, above: Array, stacked: Array, y: Array, scale: float, causal: Array | None
) -> Any:
    if not _fits(stacked) or not served(stacked, above, y):
        return NotImplemented
    heads = _Heads(xp, stacked, scale, causal)
    _, logs = heads.attend()
    whole = heads.batch, heads.heads, heads.length, heads.width
    y, above = (xp.ascontiguousarray(a).reshape(whole) for a in (y, above))
    result = xp.empty((3, *whole), stacked.dtype)
    dq, dk, dv = result[0], result[1], result[2]
    strides, products = heads.strides(y, above, dq, dk, dv), heads.row_numbers()
    sizes = heads.heads, heads.length, heads.width
    shape = heads.blocks(_ROWS_AT_ONCE, _ROWS_AT_ONCE)
    heads.launch("attention.attention_products", shape, products, y, above, strides, *sizes)
    given = above, *heads.parts, logs, products, strides, *heads.sizes
    heads.launch_tiles("attention_queries", dq, *given, tiles=4)
    heads.launch_tiles("attention_keys", dk, dv, *given, tiles=4)
    return result.reshape(stacked.shape)


COLUMN = {"attention": attention, "attention_x": attention_x}
