"""Launches that are told instead of made, with what changes from one time to the next apart.

The step of an optimizer gives a GPU the same work again and again: kernels on the same memory, with
other numbers. Whoever wants to do that work otherwise, by a graph that reads its numbers from
memory, runs the step inside `deferring` and is told what it would have launched.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from distgrad.backend.arrays import Array

__all__ = ["Deferred", "catch_up", "deferring", "do_or_tell"]


@dataclass(frozen=True)
class Deferred:
    """A launch.

    Attributes:
        name: Of the kernel.
        given: What it is given besides numbers: arrays, integers and None.
        numbers: What may be another each time.
        make: Makes it, with numbers that it reads from an array of float64, or these for None.
    """

    name: str
    given: tuple[Any, ...]
    numbers: tuple[float, ...]
    make: Callable[[Array | None], None]

    @property
    def form(self) -> tuple[Any, ...]:
        """What tells it from another but its numbers: with the same form it is the same work."""
        return (self.name, len(self.numbers), *map(_told, self.given))


_deferred: ContextVar[list[Deferred] | None] = ContextVar("distgrad_deferred", default=None)


@contextmanager
def deferring() -> Iterator[list[Deferred]]:
    """Collect the launches of the block that can be told; the others are made as ever."""
    launches: list[Deferred] = []
    token = _deferred.set(launches)
    try:
        yield launches
    finally:
        _deferred.reset(token)


def do_or_tell(launch: Deferred) -> None:
    """Make a launch; or tell it, inside `deferring`."""
    launches = _deferred.get()
    if launches is None:
        launch.make(None)
    else:
        launches.append(launch)


def catch_up() -> None:
    """Make the launches that were told so far: what comes next rests on them."""
    launches = _deferred.get() or []
    for launch in launches:
        launch.make(None)
    launches.clear()


def _told(value: Any) -> Any:
    """Return an integer as it is, and of an array where it lies: that is all that a graph knows."""
    return value if value is None or isinstance(value, int) else (value.data.ptr, value.dtype.name)
