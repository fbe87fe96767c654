"""Sums and maxima over an array of one axis, in many lanes."""

from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled.arguments import in_place
from distgrad.backend.kernels.compiled.compiling import (
    compiled,
    from_bits,
    inlined,
    reassociated,
)
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN", "distances", "dot", "largest", "total"]

_ZERO = np.float32(0)
_SIGNLESS = np.int64(0x7FFFFFFF)
_MINUS_INFINITY = np.int64(-0x7F800001)  # as `_ordered` has it


@reassociated
def total(x: Any) -> Any:
    """The sum."""
    result = _ZERO
    for i in range(x.size):
        result += x[i]
    return result


@reassociated
def dot(x: Any, y: Any) -> Any:
    """The sum of products."""
    result = _ZERO
    for i in range(x.size):
        result += x[i] * y[i]
    return result


@reassociated
def distances(x: Any, mean: Any) -> Any:
    """The sums of ``x - mean`` and of its square."""
    first, second = _ZERO, _ZERO
    for i in range(x.size):
        distance = x[i] - mean
        first += distance
        second += distance * distance
    return first, second


@reassociated
def _wide_squares(x: Any) -> Any:
    result = 0.0
    for i in range(x.size):
        wide = np.float64(x[i])
        result += wide * wide
    return result


@compiled("f8(f4[::1])")
def _squares(x: Any) -> Any:
    """The sum of squares, in float64."""
    return _wide_squares(x)


@inlined
def _ordered(bits: Any) -> Any:
    """A whole number for the bits of a float32, in the order of the numbers; nan is the largest."""
    return bits ^ ((bits >> 31) & _SIGNLESS)


@inlined
def largest(bits: Any) -> Any:
    """The largest of the numbers whose bits are given as int32, nan if there is one."""
    result = _MINUS_INFINITY
    for i in range(bits.size):
        result = max(result, _ordered(np.int64(bits[i])))
    return from_bits(_ordered(result))


def power_sum(xp: Namespace, block: Array, values: Array, norm_type: float) -> Any:
    del values
    if norm_type != 2.0 or not in_place(block):
        return NotImplemented
    return xp.float64(_squares(block))


COLUMN: Column = {"power_sum": power_sum}
