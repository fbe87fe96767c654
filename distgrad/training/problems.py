"""What is wrong with a configuration, as lines for its author."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from distgrad.training.toml import format_value

__all__ = ["RULE", "explain", "known_names"]

RULE = "rule"
"""The type of errors whose message is the whole line, key and value included."""

_LONGEST_VALUE = 60


KnownKeys: TypeAlias = Callable[[Sequence[str | int], Mapping[str, Any]], list[str]]
"""Says which keys the table at a path of a document may have."""


def explain(
    error: ValidationError,
    document: Mapping[str, Any],
    known_keys: KnownKeys,
    below: Sequence[str | int] = (),
) -> list[str]:
    """Return one line for each problem: the key, the value given, the rule and the way out.

    Args:
        error: What the models say of ``document``.
        document: The configuration as it was given.
        known_keys: The keys that may stand where an unknown one was found.
        below: The path in ``document`` of what was checked.
    """
    lines: dict[str, None] = {}
    for details in error.errors(include_url=False):
        details["loc"] = (*below, *details["loc"])
        lines[_line(details, document, known_keys)] = None
    return list(lines)


def known_names(name: str, known: Iterable[str]) -> str:
    """Return the nearest of the ``known`` names as a question, and all of them.

    Example:
        >>> known_names("adamm", ["sgd", "adam"])
        'did you mean "adam"? Known: sgd, adam'
        >>> known_names("x", ["sgd", "adam"])
        'known: sgd, adam'
    """
    known = list(known)
    nearest = get_close_matches(name, known, n=1)
    listed = ", ".join(known) or "none"
    return f'did you mean "{nearest[0]}"? Known: {listed}' if nearest else f"known: {listed}"


def _line(details: ErrorDetails, document: Mapping[str, Any], known_keys: KnownKeys) -> str:
    path, message = details["loc"], details["msg"]
    if details["type"] == RULE:
        return message
    if details["type"] == "extra_forbidden":
        *parent, key = path
        known = known_names(str(key), known_keys(parent, document))
        return f"{_dotted(path)}: unknown {'key' if parent else 'section'}; {known}"
    if details["type"] == "missing":
        return f"{_dotted(path)}: is missing"
    # Behind the place of the value pydantic appends which member of a union it tried.
    given, value = _given(path, document)
    return f"{_dotted(given)} = {_shortened(value)}: {_rule(details['type'], message)}"


def _rule(kind: str, message: str) -> str:
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "must be a table"
    message = message.replace(" after validation", "").removeprefix("Value error, ")
    return re.sub(r"^\w+ should", "must", message)


def _given(
    path: Sequence[str | int], document: Mapping[str, Any]
) -> tuple[Sequence[str | int], Any]:
    value: Any = document
    for depth, part in enumerate(path):
        try:
            value = value[part]
        except (LookupError, TypeError):
            return path[:depth], value
    return path, value


def _dotted(path: Sequence[str | int]) -> str:
    joined = ""
    for part in path:
        joined += f"[{part}]" if isinstance(part, int) else f".{part}"
    return joined.removeprefix(".")


def _shortened(value: Any) -> str:
    try:
        text = format_value(value)
    except TypeError:  # a date, which no key takes
        text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
