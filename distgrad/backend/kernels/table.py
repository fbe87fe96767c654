"""One signature, a column of implementations for each array library.

A kernel is written once, over any array namespace: that is its reference, and what runs wherever
nothing better is in use. A column holds faster implementations of some kernels for the arrays of
one library; which columns are in use is chosen once in a process.
"""

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any

from distgrad.backend.arrays import Namespace

__all__ = ["Column", "Kernel", "implementations", "kernel", "use"]

Implementation = Callable[..., Any]
Column = Mapping[str, Implementation]
"""Implementations by the kernel's name, each with the signature of the reference.

One that does not serve the arrays it is given returns ``NotImplemented``.
"""

_in_use: dict[Namespace, Column] = {}


class Kernel:
    """A function ``(xp, *arrays, **attributes)`` that is looked up in the table at each call.

    Attributes:
        reference: The function as it is written over any namespace.
        name: Its name, under which columns hold their implementations.
    """

    def __init__(self, reference: Implementation) -> None:
        self.reference = reference
        self.name = reference.__name__
        update_wrapper(self, reference)

    def __repr__(self) -> str:
        return f"<kernel {self.name}>"

    def stands_in(self, xp: Namespace) -> bool:
        """Tell whether an implementation is in use for the arrays of a library."""
        return self.name in _in_use.get(xp, {})

    def __call__(self, xp: Namespace, *args: Any, **attributes: Any) -> Any:
        """Run the implementation in use for this array library, or the reference."""
        column = _in_use.get(xp)
        if column is not None and self.name in column:
            result = column[self.name](xp, *args, **attributes)
            if result is not NotImplemented:
                return result
        return self.reference(xp, *args, **attributes)


kernel = Kernel  # as a decorator


def implementations(xp: Namespace) -> Column:
    """Return the column in use for arrays of one library; it is empty where none is."""
    return _in_use.get(xp, {})


def use(xp: Namespace, column: Column) -> Column:
    """Let the implementations of a column stand in for their kernels, for arrays of one library.

    Args:
        xp: The array module.
        column: The implementations; none of them to compute by the references.

    Returns:
        The column that was in use before.

    Example:
        >>> import numpy as np
        >>> @kernel
        ... def twice(xp, x):
        ...     return x + x
        >>> before = use(np, {"twice": lambda xp, x: 2 * x if x.ndim else NotImplemented})
        >>> twice(np, np.ones(2)).tolist(), float(twice(np, np.float64(4)))
        ([2.0, 2.0], 8.0)
        >>> use(np, before).keys()
        dict_keys(['twice'])
    """
    before = _in_use.get(xp, {})
    _in_use[xp] = column
    return before
