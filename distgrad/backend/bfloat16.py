"""bfloat16: the upper half of a float32, with 8 bits of exponent and 8 digits.

NumPy and CuPy have it from the package ``ml_dtypes``. That is loaded when somebody asks for the
type, or brings an array of it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from distgrad.errors import UsageError

__all__ = ["NAME", "bfloat16", "limits", "when_used"]

NAME = "bfloat16"

_type: type[Any] | None = None
_waiting: list[Callable[[], None]] = []


def bfloat16() -> type[Any]:
    """Return the type of its numbers, of which ``numpy.dtype`` makes the data type.

    Raises:
        UsageError: If ``ml_dtypes`` is not installed.
    """
    global _type  # noqa: PLW0603 (one for the process, as NumPy's data types are)
    if _type is None:
        try:
            import ml_dtypes
        except ImportError as error:
            raise UsageError(
                "bfloat16 comes from the package ml_dtypes, which is not installed; "
                "pip install 'distgrad[bf16]'"
            ) from error
        _type = ml_dtypes.bfloat16
        for action in _waiting:
            action()
    return _type


def when_used(action: Callable[[], None]) -> None:
    """Call a function as soon as somebody asks for the type, or has done so."""
    if _type is None:
        _waiting.append(action)
    else:
        action()


def limits(dtype: Any) -> Any:
    """Return ``numpy.finfo`` of a floating-point type, also of bfloat16.

    Example:
        >>> float(limits(np.dtype(np.float32)).eps)
        1.1920928955078125e-07
    """
    if dtype.kind == "f":
        return np.finfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)
