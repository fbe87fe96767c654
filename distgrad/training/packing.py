"""The state of an optimizer or a schedule, as JSON and arrays, and back exactly as it was."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from distgrad.backend import Array, array_namespace, to_host
from distgrad.tensor import Tensor

__all__ = ["pack", "unpack"]


def pack(value: Any, name: str) -> tuple[Any, dict[str, Array]]:
    """Split a value into what JSON can hold, and its arrays by name.

    Numbers, strings, None, lists, tuples, dicts, NumPy's scalars and arrays, and Tensors come back
    from `unpack` as what they were, bit for bit. (A scalar's type matters to the bits of what is
    computed with it.)

    Args:
        value: What is packed; arrays on the host are not copied, and others come back there.
        name: What the names of the arrays begin with.

    Raises:
        TypeError: If there is something else in it, naming where.

    Example:
        >>> packed, arrays = pack({0: {"mean": np.ones(2), "betas": (0.9, 0.99)}}, "state")
        >>> arrays
        {'state.0.mean': array([1., 1.])}
        >>> unpack(packed, arrays)
        {0: {'mean': array([1., 1.]), 'betas': (0.9, 0.99)}}
    """
    arrays: dict[str, Array] = {}
    return _packed(value, name, arrays), arrays


def _packed(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    if isinstance(value, np.generic):  # first: some of them are Python's numbers too
        return {"$scalar": _keep(np.asarray(value), name, arrays)}
    if isinstance(value, array_namespace(value).ndarray):
        return {"$array": _keep(to_host(value), name, arrays)}
    if isinstance(value, Tensor):
        return {"$tensor": _keep(to_host(value.data), name, arrays)}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(float(value))}  # JSON has no such number
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        items = [_packed(item, f"{name}.{place}", arrays) for place, item in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    if isinstance(value, Mapping):
        named = {key: _packed(item, f"{name}.{key}", arrays) for key, item in value.items()}
        if all(isinstance(key, str) and not key.startswith("$") for key in named):
            return named
        return {"$dict": [[_packed(key, name, arrays), item] for key, item in named.items()]}
    raise TypeError(
        f"{name} is of type {type(value).__name__}, which a checkpoint cannot hold; keep numbers, "
        "strings, arrays, and lists and dicts of them"
    )


def _keep(array: Array, name: str, arrays: dict[str, Array]) -> str:
    while name in arrays:  # keys with dots in them can spell the same name twice
        name += "_"
    arrays[name] = array
    return name


def unpack(packed: Any, arrays: Mapping[str, Array]) -> Any:
    """Put together what `pack` has split."""
    if isinstance(packed, list):
        return [unpack(item, arrays) for item in packed]
    if not isinstance(packed, dict):
        return packed
    kind = next(iter(packed), "")
    if not kind.startswith("$"):
        return {key: unpack(item, arrays) for key, item in packed.items()}
    content = packed[kind]
    if kind == "$dict":
        return {unpack(key, arrays): unpack(item, arrays) for key, item in content}
    if kind == "$tuple":
        return tuple(unpack(item, arrays) for item in content)
    if kind == "$float":
        return float(content)
    array = arrays[content]
    if kind == "$scalar":
        return array[()]
    return Tensor(array) if kind == "$tensor" else array
