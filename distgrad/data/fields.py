"""The classes of samples and batches with named fields."""

from collections import namedtuple
from functools import cache
from keyword import iskeyword
from typing import Any

__all__ = ["fields_class"]


@cache
def fields_class(names: tuple[str, ...]) -> type[tuple[Any, ...]]:
    """Return the named-tuple class with these fields: one class for equal names.

    Its instances can be copied and pickled although the class is made at run time: they are
    rebuilt from their field names.

    Raises:
        ValueError: If a name is not an identifier, is a keyword or starts with an underscore.

    Example:
        >>> sample = fields_class(("x", "y"))(0.5, 1)
        >>> sample
        Fields(x=0.5, y=1)
        >>> x, y = sample
    """
    for name in names:
        if not name.isidentifier() or iskeyword(name) or name.startswith("_"):
            raise ValueError(
                f"{name!r} cannot name a field: a name is an identifier, not a keyword and without "
                "a leading underscore; rename it"
            )
    base = namedtuple("Fields", names)  # type: ignore[misc]  # the names are known at run time only
    return type("Fields", (base,), {"__slots__": (), "__reduce__": _reduce})


def _reduce(fields: Any) -> tuple[Any, ...]:
    return _rebuild, (fields._fields, tuple(fields))


def _rebuild(names: tuple[str, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
    return fields_class(names)(*values)
