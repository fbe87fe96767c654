"""`--set section.key=value`: changes to a configuration from the command line."""

import tomllib
from collections.abc import Iterable
from typing import Any

from distgrad.errors import UsageError

__all__ = ["apply_overrides"]


def apply_overrides(document: dict[str, Any], assignments: Iterable[str]) -> None:
    """Change a configuration, as read from TOML, by assignments ``section.key=value``.

    A value is what TOML takes it for, and otherwise a string, so that ``optimizer.name=adam`` needs
    no quotation marks. Tables that do not exist yet are made.

    Args:
        document: The configuration; changed in place.
        assignments: In the order in which they apply.

    Raises:
        UsageError: If one has no ``=``, no section or no key, or if it goes into what is no table.

    Example:
        >>> document = {"model": {"name": "mlp"}}
        >>> apply_overrides(document, ["model.sizes=[64, 10]", "data.source.name=digits"])
        >>> document
        {'model': {'name': 'mlp', 'sizes': [64, 10]}, 'data': {'source': {'name': 'digits'}}}
    """
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        path = [part.strip() for part in key.split(".")]
        if not equals or len(path) < 2 or not all(path):
            raise UsageError(
                f"--set {assignment}: must be section.key=value, such as --set training.seed=1"
            )
        _assign(document, path, _value(text.strip()), assignment)


def _value(text: str) -> Any:
    try:
        document = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return document["value"] if len(document) == 1 else text


def _assign(table: dict[str, Any], path: list[str], value: Any, assignment: str) -> None:
    *sections, key = path
    for depth, section in enumerate(sections, start=1):
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise UsageError(
                f"--set {assignment}: {'.'.join(path[:depth])} is {table!r} and not a table, so it "
                f"has no key {path[depth]}"
            )
    table[key] = value
