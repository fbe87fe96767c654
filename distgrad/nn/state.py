"""Loading a state dictionary: everything is compared first, then everything is copied."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from distgrad.backend import Array, array_namespace
from distgrad.tensor import Tensor

__all__ = ["IncompatibleKeys", "check_state", "copy_state"]


class IncompatibleKeys(NamedTuple):
    """The names that a state dictionary lacked, and those that it had too many."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def check_state(
    own: Mapping[str, Tensor], given: Mapping[str, Any], owner: str, strict: bool
) -> IncompatibleKeys:
    """Compare given values with what they are to be copied into.

    Args:
        own: The Tensors to be written, by name.
        given: The values, by name.
        owner: What an error calls the thing that is loaded.
        strict: Whether the names must be the same.

    Raises:
        TypeError: If ``given`` is not a mapping.
        RuntimeError: Naming all that does not fit.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"state_dict must be a mapping, got {type(given).__name__}")
    report = IncompatibleKeys(
        missing_keys=[name for name in own if name not in given],
        unexpected_keys=[name for name in given if name not in own],
    )
    problems = []
    if strict and report.missing_keys:
        problems.append(f"missing: {_quoted(report.missing_keys)}")
    if strict and report.unexpected_keys:
        problems.append(f"unexpected: {_quoted(report.unexpected_keys)}")
    problems += [
        f'mismatched: "{name}" {problem}'
        for name, tensor in own.items()
        if name in given and (problem := _mismatch(tensor, given[name]))
    ]
    if problems:
        raise RuntimeError(
            f"state_dict does not fit {owner}; nothing was loaded\n  " + "\n  ".join(problems)
        )
    return report


def copy_state(own: Mapping[str, Tensor], given: Mapping[str, Any]) -> None:
    """Copy the given values into the Tensors of the same names, which are changed in place."""
    for name, tensor in own.items():
        if name in given:
            tensor.data[...] = array_namespace(tensor.data).asarray(_as_array(given[name]))
            tensor.bump_version()


def _mismatch(tensor: Tensor, value: Any) -> str | None:
    array = _as_array(value)
    if array.dtype.kind not in "biuf":
        return f"expects numbers, got {type(value).__name__} of data type {array.dtype}"
    if array.shape != tensor.shape:
        return f"has shape {tensor.shape}, got {array.shape}"
    return None


def _as_array(value: Any) -> Array:
    if isinstance(value, Tensor):
        return value.data
    return value if isinstance(getattr(value, "dtype", None), np.dtype) else np.asarray(value)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
