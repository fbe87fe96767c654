"""Elementwise functions of several passes, block by block: what lies between stays small."""

from collections.abc import Callable

import numpy as np

from distgrad.backend import Array, Namespace

__all__ = ["in_blocks"]

_BLOCK = 1 << 16
"""Elements of a block: shorter ones take longer, longer ones are not faster."""


def in_blocks(xp: Namespace, function: Callable[..., Array], *arrays: Array) -> Array:
    """Return ``function(*arrays)`` of arrays of one shape and data type, elementwise.

    The bits are those of one call for all elements.
    """
    first = arrays[0]
    if xp is not np or first.size <= _BLOCK:
        return function(*arrays)
    result = xp.empty(first.shape, first.dtype)
    flat = [xp.ascontiguousarray(array).reshape(-1) for array in arrays]
    out = result.reshape(-1)
    for start in range(0, first.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        out[block] = function(*[array[block] for array in flat])
    return result
