"""bfloat16: the upper half of a float32, with 8 bits of exponent and 8 digits.

NumPy and CuPy have it from the package ``ml_dtypes``. That is loaded when somebody asks for the
type, or brings an array of it.
"""

from collections.abc import Callable
from threading import RLock
from typing import Any

import numpy as np

from distgrad.errors import UsageError

__all__ = ["NAME", "bfloat16", "limits", "when_used"]

NAME = "bfloat16"

_type: type[Any] | None = None
_done = False
"""Whether all that waited for the type was called; until then other threads wait."""
_waiting: list[Callable[[], None]] = []
_lock = RLock()  # what waited may ask for the type


def bfloat16() -> type[Any]:
    """Return the type of its numbers, of which ``numpy.dtype`` makes the data type.

    Raises:
        UsageError: If ``ml_dtypes`` is not installed.
    """
    if _done and _type is not None:
        return _type
    with _lock:
        return _begin() if _type is None else _type


def _begin() -> type[Any]:
    """Find the type, and call what waited for it; what fails is called again the next time."""
    global _type, _done  # noqa: PLW0603 (one for the process, as NumPy's data types are)
    try:
        import ml_dtypes
    except ImportError as error:
        raise UsageError(
            "bfloat16 comes from the package ml_dtypes, which is not installed; "
            "pip install 'distgrad[bf16]'"
        ) from error
    found: type[Any] = ml_dtypes.bfloat16
    _type = found
    try:
        while _waiting:
            _waiting[0]()
            del _waiting[0]
        _done = True
    finally:
        if not _done:
            _type = None
    return found


def when_used(action: Callable[[], None]) -> None:
    """Call a function as soon as somebody asks for the type, or has done so."""
    with _lock:
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
