"""What NumPy can do and CuPy cannot, for arrays of both.

On NumPy's arrays each is NumPy's own function. On a GPU's it is made of functions that both have,
in a fixed order of operations: no atomic ones, whose order changes from run to run. Those that are
kernels may have faster implementations there (`distgrad.backend.kernels`).
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace, array_namespace
from distgrad.backend.devices import to_host
from distgrad.backend.graphs import is_capturing
from distgrad.backend.kernels.table import kernel

__all__ = [
    "add_at",
    "first_true",
    "is_anything_true",
    "is_writeable",
    "largest",
    "running",
    "segment_sums",
    "set_at",
]


def largest(xp: Namespace, x: Array, axis: Any, least: float) -> Array:
    """Return the maxima along axes, which are kept with length 1, and ``least`` where none is.

    Example:
        >>> largest(np, np.zeros((2, 0)), axis=1, least=-np.inf).tolist()
        [[-inf], [-inf]]
    """
    if xp is np:
        return np.max(x, axis=axis, keepdims=True, initial=least)
    if x.size:
        return xp.maximum(xp.max(x, axis=axis, keepdims=True), least)
    return xp.full(xp.sum(x, axis=axis, keepdims=True).shape, least, x.dtype)


def first_true(condition: Array) -> tuple[int, ...] | None:
    """Return the index of the first element that is True, None where none is; waits for a GPU.

    While a graph is recorded nothing can be waited for, and nothing is found.

    Example:
        >>> first_true(np.array([[False, False], [True, True]]))
        (1, 0)
    """
    if is_capturing(array_namespace(condition)) or not to_host(condition.any()):
        return None
    on_host = to_host(condition)
    return tuple(int(i) for i in np.unravel_index(int(on_host.argmax()), on_host.shape))


def is_anything_true(condition: Array) -> bool:
    """Tell whether work for the elements that are True is worth doing.

    On a GPU it always is: to wait for the answer takes longer than most work.
    """
    return not isinstance(condition, np.ndarray) or bool(condition.any())


def is_writeable(array: Array) -> bool:
    """Tell whether elements of an array can be set: each has a place of its own.

    NumPy marks memory that is read-only, and what it has stretched. On a GPU nothing is marked, and
    of two values for one place either may stay.

    Example:
        >>> is_writeable(np.zeros(2)), is_writeable(np.broadcast_to(np.zeros(1), 2))
        (True, False)
    """
    if isinstance(array, np.ndarray):
        return bool(array.flags.writeable)
    taken = array.itemsize  # bytes between both ends of the elements, along the axes so far
    for step, length in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if length > 1 and step < taken and array.size:
            return False
        taken += step * (length - 1)
    return True


@kernel
def running(xp: Namespace, x: Array, /, operation: str, axis: int) -> Array:
    """Return what an operation, such as "maximum", makes of all elements so far along an axis.

    Example:
        >>> running(np, np.array([1, 3, 2]), operation="maximum", axis=0).tolist()
        [1, 3, 3]
    """
    operate = getattr(xp, operation)
    if xp is np:
        return operate.accumulate(x, axis=axis)
    y = xp.moveaxis(x, axis, 0)
    reach = 1
    while reach < len(y):  # each round doubles how many elements each place has met
        y = xp.concatenate([y[:reach], operate(y[:-reach], y[reach:])])
        reach *= 2
    return xp.moveaxis(y, 0, axis)


@kernel
def add_at(xp: Namespace, y: Array, values: Array, /, index: Any) -> None:
    """Add values at an index of an array, in place; where it repeats, one after the other.

    Example:
        >>> y = np.zeros(2)
        >>> add_at(np, y, np.array([1.0, 2.0, 4.0]), index=np.array([0, 1, 0]))
        >>> y.tolist()
        [5.0, 2.0]
    """
    if xp is np:
        np.add.at(y, index, values)
        return
    places = xp.arange(y.size).reshape(y.shape)[index]
    terms = _spread(xp, values, y.dtype, places.shape)
    if not places.size:
        return
    order = xp.argsort(places.reshape(-1), kind="stable")
    places, terms = places.reshape(-1)[order], terms[order]
    begins = xp.ones(len(places), bool)
    begins[1:] = places[1:] != places[:-1]
    flat = xp.ascontiguousarray(y).reshape(-1)
    for chosen in _rounds(xp, begins):
        flat[places[chosen]] += terms[chosen]
    y[...] = flat.reshape(y.shape)


def set_at(xp: Namespace, y: Array, values: Any, index: Any) -> None:
    """Set elements of an array, in place; where the index repeats, to the last value.

    Example:
        >>> y = np.zeros(2)
        >>> set_at(np, y, np.array([1.0, 2.0, 4.0]), np.array([0, 1, 0]))
        >>> y.tolist()
        [4.0, 2.0]
    """
    if xp is np or not _may_repeat(index):
        y[index] = values
        return
    places = xp.arange(y.size).reshape(y.shape)[index]
    terms = _spread(xp, values, y.dtype, places.shape)
    order = xp.argsort(places.reshape(-1), kind="stable")
    places = places.reshape(-1)[order]
    last = xp.ones(len(places), bool)
    last[:-1] = places[1:] != places[:-1]
    flat = xp.ascontiguousarray(y).reshape(-1)
    flat[places[last]] = terms[order[last]]
    y[...] = flat.reshape(y.shape)


def _spread(xp: Namespace, values: Any, dtype: Any, shape: tuple[int, ...]) -> Array:
    """Return values, or a number, for all places in a row."""
    if isinstance(values, float | int | np.generic):  # which `asarray` would copy from the host
        return xp.full(math.prod(shape), values, dtype)
    return xp.broadcast_to(xp.asarray(values, dtype), shape).reshape(-1)


def _may_repeat(index: Any) -> bool:
    """Tell whether an index counts places: slices and truth values name none of them twice."""
    if isinstance(index, tuple):
        return any(map(_may_repeat, index))
    kind = getattr(getattr(index, "dtype", None), "kind", "iu" if isinstance(index, list) else "")
    return bool(kind) and kind in "iu" and bool(getattr(index, "ndim", 1))


@kernel
def segment_sums(xp: Namespace, values: Array, first: Array, /) -> Array:
    """Return the sum of the rows of each segment, added up in their order.

    Args:
        xp: The namespace.
        values: The rows, (N, ...), N not 0.
        first: Where segments begin, rising from 0.

    Example:
        >>> segment_sums(np, np.array([[1.0], [2.0], [4.0]]), np.array([0, 2])).tolist()
        [[3.0], [4.0]]
    """
    if xp is np:
        return np.add.reduceat(values, first, axis=0)
    begins = xp.zeros(len(values), bool)
    begins[first] = True
    segments = xp.cumsum(begins) - 1
    sums = values[first]
    for chosen in _rounds(xp, begins, start=1):
        sums[segments[chosen]] += values[chosen]
    return sums


def _rounds(xp: Namespace, begins: Array, start: int = 0) -> Iterator[Array]:
    """Yield the first places of all segments, then the second ones, until there are none."""
    place = xp.arange(len(begins))
    number = place - running(xp, xp.where(begins, place, 0), operation="maximum", axis=0)
    for count in range(start, int(to_host(xp.max(number))) + 1):
        yield xp.flatnonzero(number == count)
