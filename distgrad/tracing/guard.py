"""The values of Tensors, guarded against the program that computes with them while it is recorded.

What a program does with raw arrays cannot be seen, and would not be repeated: that it takes them is
all that can be known of it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock, get_ident
from typing import Any

from distgrad.tensor import Tensor

__all__ = ["guarded"]

_PACKAGE = __name__.partition(".")[0]
_PROGRAMS = f"{_PACKAGE}.training"
"""A part of the package that is a program like those of users."""

_slot: Any = Tensor.__dict__["data"]
_lock = RLock()
_told: dict[int, Callable[[str], None]] = {}
"""By thread, who is told of it."""


def _read(tensor: Tensor) -> Any:
    _look("reads", sys._getframe(1))
    return _slot.__get__(tensor)


def _write(tensor: Tensor, array: Any) -> None:
    _look("sets", sys._getframe(1))
    _slot.__set__(tensor, array)


def _look(does: str, frame: Any) -> None:
    tell = _told.get(get_ident())
    if tell is None:
        return
    module = str(frame.f_globals.get("__name__"))
    if not _is_below(module, _PACKAGE) or _is_below(module, _PROGRAMS):
        tell(f"{frame.f_code.co_name}() {does} the array of a Tensor, its .data")


def _is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@contextmanager
def guarded(tell: Callable[[str], None]) -> Iterator[None]:
    """Tell when code outside of the package touches ``Tensor.data`` in this thread."""
    with _lock:
        if not _told:
            setattr(Tensor, "data", property(_read, _write))  # noqa: B010 (a slot else)
        _told[get_ident()] = tell
    try:
        yield
    finally:
        with _lock:
            del _told[get_ident()]
            if not _told:
                setattr(Tensor, "data", _slot)  # noqa: B010
