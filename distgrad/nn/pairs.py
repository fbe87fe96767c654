"""What the containers that work like a dict are filled from."""

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["pairs_of"]


def pairs_of(owner: str, given: Any) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of a mapping, or of pairs of both.

    Raises:
        TypeError: If it is neither.
        ValueError: If something else than a pair is among the pairs.
    """
    if not isinstance(given, Iterable):
        raise TypeError(
            f"{owner}.update() takes a mapping or pairs of a name and a value, got "
            f"{type(given).__name__}"
        )
    if hasattr(given, "items"):
        yield from given.items()
        return
    for place, pair in enumerate(given):
        if not isinstance(pair, Iterable):
            raise TypeError(
                f"{owner}.update(): element {place} must be a pair of a name and a value, got "
                f"{type(pair).__name__}"
            )
        values = tuple(pair)
        if len(values) != 2:
            raise ValueError(
                f"{owner}.update(): element {place} must be a pair of a name and a value, got "
                f"{len(values)} values"
            )
        yield values
