"""Where numbers lie between bounds, and how many lie where."""

from typing import Any

import numpy as np

from distgrad.backend import Array, array_namespace, to_host
from distgrad.creation import as_tensor
from distgrad.tensor import Tensor
from distgrad.tensor.operands import raw

__all__ = ["bincount", "bucketize", "histc", "searchsorted"]


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Tensor:
    """Return where each number would be inserted, so that the sequence stays sorted.

    Args:
        sorted_sequence: Sorted numbers along the last axis, of shape ``[*rows, length]``.
        input: The numbers, of shape ``[*rows, any]``, any shape if there are no rows, or one
            number.
        out_int32: Whether the result is int32. Default: int64.
        right: Whether a number goes behind those equal to it. Default: in front of them.
        side: The same as ``"left"`` or ``"right"``.
        sorter: The places of the numbers in order, where ``sorted_sequence`` is not sorted.

    Raises:
        RuntimeError: If shapes or data types do not fit, or if ``side`` contradicts ``right``.

    Example:
        >>> searchsorted(as_tensor([1, 3, 5]), as_tensor([0, 3, 6]))
        tensor([0, 1, 3])
        >>> searchsorted(as_tensor([1, 3, 5]), 3, right=True)
        tensor(2)
    """
    sequence = as_tensor(sorted_sequence).data
    xp = array_namespace(sequence)
    typed = hasattr(input, "dtype")
    values = raw(input) if typed else xp.asarray(input, dtype=sequence.dtype)
    if values.dtype != sequence.dtype:
        raise RuntimeError(
            f"searchsorted() compares tensors of one data type, got {sequence.dtype} and "
            f"{values.dtype}; convert with .to()"
        )
    rows = sequence.shape[:-1]
    if not sequence.ndim or (sequence.ndim > 1 and rows != values.shape[:-1]):
        raise RuntimeError(
            "searchsorted() takes a sequence of one axis, or one of the same shape as the numbers "
            f"up to its last axis; got {sequence.shape} and {values.shape}"
        )
    places = _inserted(sequence, values, _side(right, side), _sorter(sequence, sorter))
    return Tensor(places.astype(np.int32 if out_int32 else np.int64, copy=False))


def _side(right: bool, side: str | None) -> str:
    if side not in (None, "left", "right") or (right and side == "left"):
        raise RuntimeError(
            f"side must be 'left' or 'right', the latter if right=True, got {side!r} and "
            f"right={right}"
        )
    return "right" if right else side or "left"


def _sorter(sequence: Array, sorter: Any) -> Array | None:
    if sorter is None:
        return None
    order = as_tensor(sorter).data
    if order.shape != sequence.shape or order.dtype != np.int64:
        raise RuntimeError(
            f"sorter must be int64 and of the sequence's shape {sequence.shape}, got {order.dtype} "
            f"and {order.shape}"
        )
    low, high = (int(to_host(order.min())), int(to_host(order.max()))) if order.size else (0, -1)
    if low < 0 or high >= sequence.shape[-1]:
        raise RuntimeError(
            f"sorter must hold places from 0 to {sequence.shape[-1] - 1}, got {low} to {high}"
        )
    return order


def _inserted(sequence: Array, values: Array, side: str, order: Array | None) -> Array:
    xp = array_namespace(sequence)
    if sequence.ndim == 1:
        return xp.asarray(xp.searchsorted(sequence, values, side, order))
    if order is not None:
        sequence = xp.take_along_axis(sequence, order, -1)
    lines = sequence.reshape(-1, sequence.shape[-1]) if sequence.size else sequence
    places = xp.zeros(values.shape, np.int64)
    if not (sequence.size and values.size):
        return places
    of_rows = places.reshape(len(lines), -1)
    for row, numbers in enumerate(values.reshape(len(lines), -1)):
        of_rows[row] = xp.searchsorted(lines[row], numbers, side)
    return places


def bucketize(
    input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """Return between which boundaries each number lies.

    Args:
        input: The numbers.
        boundaries: Sorted numbers along one axis. Bucket 0 lies before the first one.
        out_int32: Whether the result is int32. Default: int64.
        right: Whether a number equal to a boundary lies behind it. Default: before it.

    Raises:
        RuntimeError: If the boundaries have more or less than one axis.

    Example:
        >>> bucketize(as_tensor([0, 3, 6]), as_tensor([1, 3, 5]))
        tensor([0, 1, 3])
    """
    bounds = as_tensor(boundaries)
    if bounds.ndim != 1:
        raise RuntimeError(f"bucketize() takes boundaries along one axis, got {bounds.shape}")
    return searchsorted(bounds, input, out_int32=out_int32, right=right)


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """Return how often each integer occurs, from 0 to the largest one.

    Args:
        input: Integers that are not negative, along one axis.
        weights: What each of them counts for. Default: 1.
        minlength: The least number of integers that are counted.

    Returns:
        int64; with weights float32 if they are, else float64.

    Raises:
        RuntimeError: If the integers are negative or none, if shapes differ, or if ``minlength``
            is negative.

    Example:
        >>> bincount(as_tensor([1, 1, 3]))
        tensor([0, 2, 0, 1])
    """
    return as_tensor(input).bincount(weights, minlength)


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Return how many elements lie in each of equally wide bins.

    Args:
        input: A floating-point Tensor.
        bins: The number of bins.
        min: Where the first one begins.
        max: Where the last one ends, itself included. Default: where both bounds are equal, the
            smallest and the largest element are taken.

    Raises:
        RuntimeError: If there is no bin, or if the bounds are not finite or in the wrong order.

    Example:
        >>> histc(as_tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
        tensor([0., 2., 1., 0.])
    """
    return as_tensor(input).histc(bins, min, max)
