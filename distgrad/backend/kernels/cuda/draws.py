"""Random bits drawn on the GPU, and dropout by them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import by_element, launch, served

__all__ = ["COLUMN", "placed"]

_EACH = 8  # numbers that a block of Philox makes

_place: ContextVar[Array | None] = ContextVar("distgrad_place_of_draws", default=None)


@contextmanager
def placed(place: Array) -> Iterator[None]:
    """Let draws inside the block read micro-batch and step from an array whenever they are made."""
    token = _place.set(place)
    try:
        yield
    finally:
        _place.reset(token)


def random_bits(
    xp: Namespace, shape: tuple[int, ...], seed: int, stream: int, counter: tuple[int, ...]
) -> Any:
    return _drawn(xp, "random_bits", xp.empty(shape, "uint32"), seed, stream, counter)


def kept_elements(
    xp: Namespace,
    shape: tuple[int, ...],
    seed: int,
    stream: int,
    counter: tuple[int, ...],
    least: int,
) -> Any:
    kept = xp.empty(shape, "bool")
    return _drawn(xp, "kept_elements", kept, seed, stream, counter, np.uint64(least))


def _drawn(
    xp: Namespace,
    kernel: str,
    drawn: Array,
    seed: int,
    stream: int,
    counter: tuple[int, ...],
    *how: Any,
) -> Array:
    """Fill an array with what a kernel makes of a draw."""
    if drawn.size:
        words = [np.uint64(word) for word in (seed, stream, *counter[::-1])]
        given = drawn, _place.get(), *words, *how, drawn.size
        shape = by_element(drawn, _EACH)
        launch(xp, f"dropout.{kernel}", np.dtype("float32"), shape, *given)
    return drawn


def dropout(xp: Namespace, x: Array, kept: Array, scale: Any) -> Any:
    if not served(x) or kept.shape != x.shape:
        return NotImplemented
    x, kept = xp.ascontiguousarray(x), xp.ascontiguousarray(kept)
    y = xp.empty_like(x)
    launch(xp, "dropout.dropout", x.dtype, by_element(x), y, x, kept, float(scale), x.size)
    return y


def dropout_add(xp: Namespace, x: Array, residual: Array, kept: Array, scale: Any) -> Any:
    if not served(x, residual) or not x.shape == residual.shape == kept.shape:
        return NotImplemented
    given = [xp.ascontiguousarray(array) for array in (x, residual, kept)]
    y = xp.empty_like(given[0])
    rest = float(scale), x.size
    launch(xp, "dropout.dropout_add", x.dtype, by_element(x), y, *given, *rest)
    return y


COLUMN = {
    "dropout": dropout,
    "dropout_add": dropout_add,
    "kept_elements": kept_elements,
    "random_bits": random_bits,
}
