"""Random bits drawn on the GPU, and dropout's mask of them."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import TYPES, by_element, launch

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
    bits = xp.empty(shape, "uint32")
    if not bits.size:
        return bits
    words = [np.uint64(word) for word in (seed, stream, *counter[::-1])]
    single = np.dtype("float32")
    given = bits, _place.get(), *words, bits.size
    launch(xp, "dropout.random_bits", single, by_element(bits, _EACH), *given)
    return bits


def dropout_mask(xp: Namespace, bits: Array, least: int, scale: Any) -> Any:
    if scale.dtype.name not in TYPES or not bits.size:
        return NotImplemented
    bits = xp.ascontiguousarray(bits)
    mask = xp.empty(bits.shape, scale.dtype)
    shape = by_element(mask, 1)
    given = np.uint64(least), float(scale), math.prod(bits.shape)
    launch(xp, "dropout.dropout_mask", mask.dtype, shape, mask, bits, *given)
    return mask


COLUMN = {"dropout_mask": dropout_mask, "random_bits": random_bits}
