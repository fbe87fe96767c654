"""The argument checks that samplers, loader and windows share."""

from collections.abc import Sized
from operator import index

from distgrad.backend import Array, Stream, philox

__all__ = [
    "checked_integer",
    "checked_seed",
    "checked_sizes",
    "holds_numbers",
    "require_samples",
]


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


def checked_sizes(global_batch_size: object, micro_batch_size: object) -> tuple[int, int]:
    """Return the two sizes as integers, a micro-batch being at most a global batch.

    Raises:
        ValueError: If a size is not a positive integer, or if the micro-batch is the larger one.
    """
    whole = checked_integer("global_batch_size", global_batch_size, minimum=1)
    part = checked_integer("micro_batch_size", micro_batch_size, minimum=1)
    if part > whole:
        raise ValueError(
            f"micro_batch_size {part} is larger than global_batch_size {whole}, which is cut into "
            f"micro-batches; use at most {whole}"
        )
    return whole, part


def require_samples(dataset: Sized, user: str) -> None:
    """Refuse an empty dataset, or one without a length, on behalf of ``user``.

    Raises:
        TypeError: If it has no length.
        ValueError: If ``len(dataset)`` is 0.
    """
    if not hasattr(dataset, "__len__"):
        raise TypeError(
            f"{type(dataset).__name__} has no length: {user} needs __len__ and __getitem__; for a "
            "stream take StreamingBatches"
        )
    if len(dataset) == 0:
        raise ValueError(
            f"dataset is empty: {user} needs at least 1 sample; check the source and the split "
            "that it comes from"
        )


def holds_numbers(array: Array) -> bool:
    """Tell whether the array is of booleans or numbers, and not of strings, dates or objects."""
    return array.dtype.kind in "biufc"
