"""In what two runs differ, or one before and after: their configurations, their environments."""

from collections.abc import Iterator, Mapping
from typing import Any

from distgrad.training.environment import bit_relevant

__all__ = ["changed_keys", "environment_differences", "flat_items"]


def changed_keys(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the keys whose values differ in two configurations, with both; None for no value.

    Example:
        >>> changed_keys({"model": {"width": 4, "depth": 1}}, {"model": {"width": 8, "depth": 1}})
        {'model.width': (4, 8)}
    """
    old, new = dict(flat_items(before)), dict(flat_items(now))
    return {
        key: (old.get(key), new.get(key)) for key in {**old, **new} if old.get(key) != new.get(key)
    }


def flat_items(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of nested tables, keys as ``section.key``."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flat_items(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def environment_differences(
    before: Mapping[str, Any], now: Mapping[str, Any]
) -> dict[str, tuple[str, str]]:
    """Return what the bits of a result depend on and two environments differ in, with both.

    Example:
        >>> environment_differences({"numpy": "2.3.1"}, {"numpy": "2.4.0"})
        {'NumPy': ('2.3.1', '2.4.0')}
    """
    old, new = bit_relevant(before), bit_relevant(now)
    return {name: (old[name], new[name]) for name in new if new[name] != old[name]}
