"""Graphs of a GPU's work: recorded once, and launched as a whole.

What is recorded runs Python once. A replay does the same work on the same memory; only what that
memory holds may be new, and the words that name random draws.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from distgrad.backend.arrays import Namespace
from distgrad.backend.devices import provider, read_device
from distgrad.errors import DeviceError

__all__ = ["Graphs", "Replay", "graphs_of", "is_capturing"]

T = TypeVar("T")

Replay = Callable[[int, int], None]
"""``replay(step, micro_batch)`` does the recorded work, with draws of that micro-batch."""


class Graphs(Protocol):
    """Records graphs, in memory that is theirs alone."""

    def record(self, work: Callable[[], T]) -> tuple[T, Replay]:
        """Record work without doing it; return what it returned, and how to do it.

        Raises:
            Exception: What the work raised, or the library where something cannot be recorded:
                above all what waits for a value.
        """


def graphs_of(device: str) -> Graphs:
    """Return what records graphs on a GPU.

    Raises:
        DeviceError: If there is no such device, or it has no graphs.

    Example:
        >>> graphs_of("cpu")
        Traceback (most recent call last):
        distgrad.errors.DeviceError: capture: graphs are those of a GPU, ...
    """
    index = read_device(device)
    make: Any = None if index is None else getattr(provider(), "graphs", None)
    if make is None:
        raise DeviceError(
            f"capture: graphs are those of a GPU, and the model lies on {device!r}; move it to "
            "'cuda', or leave capture out"
        )
    graphs: Graphs = make(index)
    return graphs


def is_capturing(xp: Namespace) -> bool:
    """Tell whether what is given to the GPU now is recorded, so that no value can be waited for.

    Example:
        >>> import numpy as np
        >>> is_capturing(np)
        False
    """
    cuda = getattr(xp, "cuda", None)
    return cuda is not None and bool(cuda.get_current_stream().is_capturing())
