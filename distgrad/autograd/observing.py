"""Observers of recording: what looks at each operation when it has been recorded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["Observer", "observed", "observers", "observing"]

Observer = Callable[[Any], None]
"""Called with the new node."""

T = TypeVar("T")

observers: ContextVar[tuple[Observer, ...]] = ContextVar("distgrad_observers", default=())
"""Called in this order."""


@contextmanager
def observing(observer: Observer, alone: bool = False) -> Iterator[None]:
    """Call an observer inside the block, before those of the blocks around it or ``alone``."""
    token = observers.set((observer,) if alone else (observer, *observers.get()))
    try:
        yield
    finally:
        observers.reset(token)


def observed(node: T) -> T:
    """Show a new node to all observers, and return it."""
    for observer in observers.get():
        observer(node)
    return node
