"""Which array library a given array belongs to."""

import sys
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Array", "Namespace", "array_namespace", "device_name"]

Array: TypeAlias = Any
"""An array of NumPy or CuPy."""

Namespace: TypeAlias = Any
"""A module of array functions: ``numpy`` or ``cupy``."""


_modules = sys.modules


def array_namespace(*values: object) -> Namespace:
    """Return the array module of the given arrays: CuPy if one of them is CuPy's, else NumPy.

    CuPy is looked up among the modules already loaded: where nobody has imported it, no array can
    be its own.

    Example:
        >>> array_namespace(np.zeros(2), 1.0).__name__
        'numpy'
    """
    cupy = _modules.get("cupy")
    if cupy is not None and any(isinstance(value, cupy.ndarray) for value in values):
        return cupy
    return np


def device_name(array: Array) -> str:
    """Return where an array lies, in PyTorch's words: ``cpu``, or ``cuda`` with its number.

    Example:
        >>> device_name(np.zeros(2))
        'cpu'
    """
    return "cpu" if array_namespace(array) is np else f"cuda:{array.device.id}"
