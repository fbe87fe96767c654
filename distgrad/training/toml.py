"""Writes TOML, which the standard library only reads."""

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["dumps", "format_value"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def dumps(document: Mapping[str, Any]) -> str:
    """Return ``document`` as TOML that ``tomllib.loads`` reads back to an equal one.

    Values are strings, booleans, integers, floats, lists or tuples of them, and mappings with keys
    that are strings. A value of None has no TOML, so its key is left out.

    Raises:
        TypeError: If a value is of another type.

    Example:
        >>> print(dumps({"seed": 0, "data": {"size": 8, "source": {"name": "sine"}}}))
        seed = 0
        <BLANKLINE>
        [data]
        size = 8
        <BLANKLINE>
        [data.source]
        name = "sine"
        <BLANKLINE>
    """
    return "\n".join(_table(document, ())) + "\n"


def format_value(value: Any) -> str:
    """Return one value as TOML writes it behind ``=``; a mapping becomes an inline table.

    Example:
        >>> format_value({"sizes": [1, 2], "name": "mlp"})
        '{ sizes = [1, 2], name = "mlp" }'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are among TOML's, but TOML escapes DEL too.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(format_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_pairs(value))} }}" if value else "{}"
    raise TypeError(f"TOML has no value for {value!r} of type {type(value).__name__}")


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    lines = _pairs({key: value for key, value in table.items() if key not in inner})
    # A table that holds nothing but tables needs no heading of its own.
    if path and (lines or not inner):
        lines.insert(0, f"[{'.'.join(map(_key, path))}]")
    for key, value in inner.items():
        lines += [*([""] if lines else []), *_table(value, (*path, key))]
    return lines


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(k)} = {format_value(v)}" for k, v in table.items() if v is not None]


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else format_value(key)
