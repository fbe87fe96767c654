"""What a recording of a thread's computation has to hear of, beside the operations themselves."""

import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from distgrad.backend.arrays import Array

__all__ = ["Listener", "beside", "constant", "kept", "listening", "unrepeatable"]

T = TypeVar("T")


class Listener(Protocol):
    """Is told what a thread does."""

    def computed(
        self, function: Callable[..., Any], args: tuple[Any, ...], attributes: Any, result: Any
    ) -> None:
        """Hear what a function of arrays has returned."""

    def constant(self, array: Array) -> None:
        """Hear of an array that is the same whenever the computation runs."""

    def unrepeatable(self, what: str) -> None:
        """Hear of what cannot be done again without the program that did it."""


class _Listening(threading.local):
    listener: Listener | None = None


listening = _Listening()
"""Its ``listener`` is who listens to the thread, None for nobody."""


def beside(function: Callable[..., T], *args: Any, **attributes: Any) -> T:
    """Call a function of arrays whose results go into operations without being one.

    What computes arrays otherwise cannot be recorded: a listener sees them come from nowhere.

    Example:
        >>> import numpy as np
        >>> beside(np.negative, np.ones(2)).tolist()
        [-1.0, -1.0]
    """
    result = function(*args, **attributes)
    listener = listening.listener
    if listener is not None:
        listener.computed(function, args, attributes, result)
    return result


def kept(array: Array) -> Array:
    """Return a copy that nobody else can change: a backward pass reads it again.

    Example:
        >>> import numpy as np
        >>> kept(np.arange(3)).tolist()
        [0, 1, 2]
    """
    return beside(_copied, array)


def _copied(array: Array) -> Array:
    return array.copy()


def constant(array: Array) -> Array:
    """Return an array that depends on nothing but shapes, data types and numbers of the program.

    Example:
        >>> import numpy as np
        >>> constant(np.arange(3)).tolist()
        [0, 1, 2]
    """
    listener = listening.listener
    if listener is not None:
        listener.constant(array)
    return array


def unrepeatable(what: str) -> None:
    """Say that the program does something now that depends on values, or changes them.

    Example:
        >>> unrepeatable("a value is read")
    """
    listener = listening.listener
    if listener is not None:
        listener.unrepeatable(what)
