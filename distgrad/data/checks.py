"""The argument checks that samplers, loader and windows share."""

from collections.abc import Sized
from operator import index

from distgrad.backend import Array, Stream, philox

__all__ = ["checked_integer", "checked_seed", "holds_numbers", "require_samples"]


def checked_integer(name: str, value: object, minimum: int) -> int:
    """Return ``value`` as an ``int``; NumPy integers pass, booleans and floats do not.

    Raises:
        ValueError: If ``value`` is not an integer of at least ``minimum``.

    Example:
        >>> checked_integer("batch_size", 0, minimum=1)
        Traceback (most recent call last):
        ValueError: batch_size must be an integer of at least 1, got 0
    """
    try:
        number = None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}, got {value!r}")
    return number


def checked_seed(seed: object) -> int:
    """Return ``seed`` as an ``int`` that can key a draw, so that a bad one fails before its use.

    Raises:
        ValueError: If ``seed`` is not an integer from 0 to 2**64 - 1.
    """
    number = checked_integer("seed", seed, minimum=0)
    philox(number, Stream.ORDER)
    return number


def require_samples(dataset: Sized, user: str) -> None:
    """Refuse an empty dataset on behalf of ``user``.

    Raises:
        ValueError: If ``len(dataset)`` is 0.
    """
    if len(dataset) == 0:
        raise ValueError(
            f"dataset is empty: {user} needs at least 1 sample; check the source and the split "
            "that it comes from"
        )


def holds_numbers(array: Array) -> bool:
    """Tell whether the array is of booleans or numbers, and not of strings, dates or objects."""
    return array.dtype.kind in "biufc"
