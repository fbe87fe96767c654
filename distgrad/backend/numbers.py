"""Numbers, and arrays of one number, beside NumPy's arrays: what costs least for small ones."""

from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace

__all__ = ["number", "spread"]

_kept: dict[tuple[float, Any], Array] = {}


def number(xp: Namespace, value: float, dtype: Any) -> Any:
    """Return a number that a formula has beside an array, in the form that costs least.

    NumPy takes longer over a Python number than over a small array: it has to find out what type
    the number is to have. For arrays of other libraries, and Tensors, it stays as it is.

    Args:
        xp: The namespace of the array.
        value: The number; the formula has few different ones.
        dtype: The array's type.

    Example:
        >>> number(np, 1, np.dtype(np.float32)) - np.float32(0.25)
        np.float32(0.75)
    """
    if xp is not np:
        return value
    kept = _kept.get((value, dtype))
    if kept is None:
        kept = _kept[value, dtype] = np.array(value, dtype)
        kept.flags.writeable = False
    return kept


def spread(xp: Namespace, array: Array, shape: tuple[int, ...]) -> Array:
    """Return ``xp.broadcast_to(array, shape)``; for a 0-d array of NumPy in a fifth of the time.

    Args:
        xp: The namespace of the array.
        array: What fits into the shape.
        shape: The shape.

    Example:
        >>> spread(np, np.array(2.0), (2, 3)).tolist()
        [[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]]
    """
    if type(array) is not np.ndarray or array.ndim:
        return xp.broadcast_to(array, shape)
    result = np.ndarray(shape, array.dtype, array, 0, (0,) * len(shape))
    result.flags.writeable = False
    return result
