"""What the kernels of this column serve."""

import math

import numpy as np

from distgrad.backend import Array

__all__ = ["in_place", "split_axis", "taken", "together"]

_SINGLE = np.dtype(np.float32)


def together(*arrays: Array) -> list[Array] | None:
    """Return arrays of float32 on the CPU as contiguous ones; None if one is something else.

    Those that compiled code does not take, read-only ones and unaligned ones, are copied.
    """
    result = []
    for array in arrays:
        if type(array) is not np.ndarray or array.dtype != _SINGLE:
            return None
        result.append(taken(array))
    return result


def taken(array: Array) -> Array:
    """Return an array as compiled code takes it, a copy if need be."""
    return array if array.flags.carray else array.copy("C")


def split_axis(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """Return how many elements lie in front of an axis, along it and behind it."""
    axis %= len(shape)
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])


def in_place(*arrays: Array) -> bool:
    """Tell whether all are contiguous arrays of float32 on the CPU that can be written to."""
    return all(
        type(array) is np.ndarray and array.dtype == _SINGLE and array.flags.carray
        for array in arrays
    )
