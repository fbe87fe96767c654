"""The arrays that Tensors are made of: from data of any kind, or from one number."""

from collections.abc import Iterator, Mapping
from functools import reduce
from math import isfinite
from operator import index
from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace, array_of, to_host
from distgrad.backend.bfloat16 import limits
from distgrad.backend.dtypes import DEFAULT_FLOAT, DType, data_type, is_floating, promote
from distgrad.backend.listening import constant
from distgrad.tensor.operands import raw, unpacked

__all__ = ["as_array", "cast", "filled", "fitting", "forgotten", "lengths"]

_OF_NUMBERS = {bool: np.dtype(bool), int: np.dtype(np.int64), float: DEFAULT_FLOAT}


def as_array(data: Any, dtype: Any = None) -> Array:
    """Return data as an array, sharing its memory where that is possible.

    Args:
        data: A number, nested sequences of numbers, an array or a Tensor.
        dtype: The data type; by default that of an array, and PyTorch's for numbers.

    Raises:
        TypeError: If there is something else in it.
        ValueError: If sequences are of different lengths.
        RuntimeError: If a number does not fit into the data type.
    """
    data = raw(data)
    if _is_typed(data):
        array = array_of(data)
        own = data_type(array.dtype)
        return cast(array, own if dtype is None else data_type(dtype))
    found = list(dict.fromkeys(_data_types(data)))
    wanted = reduce(promote, found or [DEFAULT_FLOAT]) if dtype is None else data_type(dtype)
    return constant(_converted(_plain(data), wanted))


def _converted(data: Any, wanted: DType) -> Array:
    """Return nested sequences as an array of a data type that they may not fit."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            narrow = wanted.kind == "u" and wanted.itemsize < 8
            array = np.asarray(data, dtype=np.int64 if narrow else wanted)
        if narrow and array.size:
            fitting(int(array.min()), wanted)
            fitting(int(array.max()), wanted)
        return array.astype(wanted, copy=False)
    except OverflowError as error:
        raise RuntimeError(f"{error}; choose another dtype than {wanted}") from None
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise RuntimeError(f"{error}; choose another dtype than {wanted}") from None
        raise ValueError(f"sequences must be of one length on each level: {error}") from None


def cast(array: Array, dtype: DType) -> Array:
    """Return an array in a data type; what does not fit becomes infinite, without a warning."""
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(dtype, copy=False)


def _is_typed(data: Any) -> bool:
    """Tell whether data has a data type of its own: an array, or what NumPy makes one of."""
    return hasattr(data, "__array__") or hasattr(data, "__array_interface__")


def _is_sequence(data: Any) -> bool:
    return (
        hasattr(data, "__len__")
        and hasattr(data, "__getitem__")
        and not isinstance(data, str | bytes | Mapping)
    )


def _data_types(data: Any) -> Iterator[DType]:
    """Yield the data type of each part, the same ones not necessarily once."""
    if _is_sequence(data) and not _is_typed(data):
        kinds = set(map(type, data))
        if kinds <= _OF_NUMBERS.keys():  # most sequences: no need to look at each number
            yield from (_OF_NUMBERS[kind] for kind in kinds)
        else:
            for part in data:
                yield from _data_types(raw(part))
    elif _is_typed(data):
        yield data_type(to_host(data).dtype)
    elif isinstance(data, bool | int | float):
        yield next(dtype for kind, dtype in _OF_NUMBERS.items() if isinstance(data, kind))
    else:
        raise TypeError(
            f"a tensor holds numbers or truth values, got {type(data).__name__} {data!r:.60}"
        )


def _plain(data: Any) -> Any:
    """Return nested sequences with arrays of NumPy in place of Tensors."""
    data = raw(data)
    if _is_typed(data):
        return to_host(data)
    if not _is_sequence(data) or set(map(type, data)) <= _OF_NUMBERS.keys():
        return data
    return [_plain(part) for part in data]


def fitting(value: Any, dtype: DType) -> Any:
    """Return a number as one of the data type.

    Args:
        value: A number, or a Tensor or array of one element.
        dtype: The data type. What it cannot hold of a fraction is cut off.

    Raises:
        RuntimeError: If the number lies outside the data type's range.
    """
    value = raw(value)
    value = to_host(value).item() if hasattr(value, "dtype") else value
    if not isinstance(value, int | float):
        raise TypeError(
            f"a tensor is filled with a number, got {type(value).__name__} {value!r:.60}"
        )
    if dtype.kind == "b":
        return bool(value)
    if is_floating(dtype):
        low, high = float(limits(dtype).min), float(limits(dtype).max)
        fits = not isfinite(value) or low <= value <= high
    else:
        low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        if dtype.kind == "u" and isinstance(value, int) and -high <= value < 0:
            return value + high + 1  # as in C: -1 stands for the largest number
        value = int(value) if isfinite(value) else value
        fits = low <= value <= high
    if not fits:
        raise RuntimeError(f"{value} does not fit {dtype}, which holds {low} to {high}")
    return value


def filled(xp: Namespace, size: tuple[int, ...], value: Any, dtype: DType) -> Array:
    """Return an array of one repeated number, refusing one that does not fit."""
    number = fitting(value, dtype)
    if number is False or (type(number) is int and number == 0):
        return xp.zeros(size, dtype)  # no memory is touched
    return xp.full(size, number, dtype)


def forgotten(xp: Namespace, size: tuple[int, ...], dtype: DType) -> Array:
    """Return an array of what no computation should see: nan, else the largest number or True."""
    if is_floating(dtype):
        return xp.full(size, xp.nan, dtype)
    return xp.full(size, True if dtype.kind == "b" else np.iinfo(dtype).max, dtype)


def lengths(sizes: tuple[Any, ...], named: Any = None) -> tuple[int, ...]:
    """Return the lengths of axes that were given one by one, as one sequence, or by name.

    Raises:
        TypeError: If one is not an integer.
        RuntimeError: If one is negative.
    """
    try:
        found = tuple([index(length) for length in unpacked(sizes, named)])
    except TypeError:
        raise TypeError(
            f"sizes are integers, one by one or as a tuple, got {(named or sizes)!r:.60}"
        ) from None
    if any(length < 0 for length in found):
        raise RuntimeError(f"sizes must not be negative, got {found}")
    return found
