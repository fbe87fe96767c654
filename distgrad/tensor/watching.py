"""Watching the operations that a thread runs, recorded or not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from distgrad.tensor.quiet import quiet, started

__all__ = ["watching"]

Watcher = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any], None]


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Call ``watcher(forward, arrays, attributes, result)`` behind each operation on Tensors.

    ``forward`` is the function of the op. What is not watched costs nothing.
    """
    run = started()

    def watched(forward: Any, *args: Any, **attributes: Any) -> Any:
        result = run(forward, *args, **attributes)
        arrays = args[1:] if isinstance(args[0], ModuleType) else args  # of a ufunc
        watcher(forward, arrays, attributes, result)
        return result

    quiet.run = watched
    try:
        yield
    finally:
        quiet.run = run
