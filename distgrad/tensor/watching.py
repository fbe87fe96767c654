"""Watching the operations that a thread runs, recorded or not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from distgrad.tensor.quiet import quiet

__all__ = ["watching"]

Watcher = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any], None]


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Call ``watcher(forward, arrays, attributes, result)`` behind each operation on Tensors.

    ``forward`` is the function of the op. What is not watched costs nothing.
    """
    run = quiet.run

    def watched(forward: Any, xp: Any, *arrays: Any, **attributes: Any) -> Any:
        result = run(forward, xp, *arrays, **attributes)
        watcher(forward, arrays, attributes, result)
        return result

    quiet.run = watched  # type: ignore[assignment]
    try:
        yield
    finally:
        quiet.run = run
