"""What a caller may pass where an array, an index or sizes are expected."""

from copy import copy
from typing import Any

import numpy as np

from distgrad.backend.listening import kept

__all__ = ["kept_index", "raw", "raw_index", "unpacked"]


def raw(value: Any) -> Any:
    """Return the array of a Tensor; anything else as it is."""
    return getattr(value, "data", value) if hasattr(value, "node") else value


def raw_index(index: Any) -> Any:
    """Return an index with arrays in place of Tensors."""
    return tuple(raw(part) for part in index) if isinstance(index, tuple) else raw(index)


def kept_index(index: Any) -> Any:
    """Return a raw index that nobody else can change: a backward pass reads it again."""
    if isinstance(index, tuple):
        return tuple(kept_index(part) for part in index)
    index = raw(index)
    if hasattr(index, "shape"):
        return kept(index)
    return copy(index) if isinstance(index, list) else index


def unpacked(sizes: tuple[Any, ...], named: Any = None) -> tuple[int, ...]:
    """Return sizes that were given one by one, as one sequence, or by name."""
    if named is not None:
        return (named,) if hasattr(named, "__index__") else tuple(named)
    if len(sizes) == 1 and not isinstance(sizes[0], int | np.integer):
        return tuple(sizes[0])
    return sizes
