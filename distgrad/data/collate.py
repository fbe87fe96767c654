"""Samples into a batch."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from distgrad.backend import Array, array_namespace
from distgrad.backend.dtypes import promote
from distgrad.data.checks import holds_numbers
from distgrad.tensor import Tensor

__all__ = ["default_collate", "default_convert"]

_NUMBERS = (bool, int, float, complex, np.generic)
_WAY_OUT = "convert or pad it in the dataset, or pass DataLoader a collate_fn"
_Leaf = Callable[[Sequence[Any], str], Any]


def default_collate(samples: Sequence[Any]) -> Any:
    """Stack samples of one structure into a batch: every leaf gains a first axis.

    Named tuples, tuples and lists keep their type, and a mapping gives a ``dict``. (PyTorch makes
    tuples into lists.) Arrays, Tensors and numbers become Tensors; data types are kept, and where
    they differ between samples PyTorch's promotion decides. A Python ``float`` gives float64, an
    ``int`` int64, a ``bool`` bool, as in PyTorch. Strings and bytes stay a list. The batch is a
    copy, and gradients do not flow through it.

    Args:
        samples: At least one sample.

    Raises:
        ValueError: If there are no samples, or if their structures or shapes differ.
        TypeError: If a value is none of the above.

    Example:
        >>> batch = default_collate([(np.float32([1, 2]), 0), (np.float32([3, 4]), 1)])
        >>> [(part.shape, part.dtype.name) for part in batch]
        [((2, 2), 'float32'), ((2,), 'int64')]
        >>> default_collate([{"x": np.zeros(3)}, {"x": np.zeros(4)}])
        Traceback (most recent call last):
        ValueError: cannot collate sample['x']: shape (3,) in sample 0 and shape (4,) in sample 1
    """
    if not samples:
        raise ValueError("cannot collate an empty list: a batch needs at least 1 sample")
    return _combine(samples, "sample", _stack)


def default_convert(sample: Any) -> Any:
    """Make the numeric arrays of one sample Tensors and leave everything else as it is.

    The Tensors share memory with the arrays. Containers are treated as in `default_collate`.

    Example:
        >>> default_convert({"x": np.zeros(3), "name": "a"})["x"].shape
        (3,)
    """
    return _combine([sample], "sample", _wrap)


def _combine(samples: Sequence[Any], where: str, leaf: _Leaf) -> Any:
    first = samples[0]
    if isinstance(first, Mapping):
        _require_equal([_outline(sample) for sample in samples], where)
        return {
            key: _combine([sample[key] for sample in samples], f"{where}[{key!r}]", leaf)
            for key in first
        }
    if isinstance(first, tuple | list):
        _require_equal([_outline(sample) for sample in samples], where)
        names = getattr(first, "_fields", None)
        places = (
            [f"[{i}]" for i in range(len(first))] if names is None else [f".{n}" for n in names]
        )
        columns = [
            _combine(column, where + place, leaf)
            for place, column in zip(places, zip(*samples, strict=True), strict=True)
        ]
        return type(first)(columns) if names is None else type(first)(*columns)
    return leaf(samples, where)


def _stack(values: Sequence[Any], where: str) -> Any:
    if all(isinstance(value, str | bytes) for value in values):
        return list(values)
    arrays = [_as_array(value, where) for value in values]
    _require_equal([f"shape {array.shape}" for array in arrays], where)
    dtype = reduce(promote, [array.dtype for array in arrays])
    return Tensor(array_namespace(*arrays).stack(arrays, dtype=dtype))


def _wrap(values: Sequence[Any], where: str) -> Any:
    (value,) = values
    is_array = isinstance(value, np.generic | array_namespace(value).ndarray)
    return Tensor(_as_array(value, where)) if is_array and holds_numbers(value) else value


def _as_array(value: Any, where: str) -> Array:
    if isinstance(value, Tensor):
        return value.data
    if isinstance(value, _NUMBERS):
        value = np.asarray(value)
    if not isinstance(value, array_namespace(value).ndarray):
        raise TypeError(
            f"cannot collate {where}: {type(value).__name__} is none of array, Tensor, number, "
            f"string, tuple, list and mapping; {_WAY_OUT}"
        )
    if not holds_numbers(value):
        raise TypeError(f"cannot collate {where}: {value.dtype} is not a number type; {_WAY_OUT}")
    return value


def _outline(value: Any) -> str:
    name = type(value).__name__
    if isinstance(value, Mapping):
        return f"{name} with keys {sorted(value, key=repr)}"
    if isinstance(value, tuple | list):
        names = getattr(value, "_fields", None)
        return f"{name} of length {len(value)}" if names is None else f"{name} with fields {names}"
    return name


def _require_equal(outlines: list[str], where: str) -> None:
    for i, outline in enumerate(outlines):
        if outline != outlines[0]:
            raise ValueError(
                f"cannot collate {where}: {outlines[0]} in sample 0 and {outline} in sample {i} of "
                f"the batch; {_WAY_OUT}"
            )
