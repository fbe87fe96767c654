"""Random numbers as arrays, rounded so that they stay in their distribution's range.

They are drawn in float64, so that every data type gets the same numbers, up to rounding.
"""

from typing import Any

import numpy as np

from distgrad.autograd.random_scope import next_generator
from distgrad.backend import Array, to_host
from distgrad.backend.bfloat16 import limits
from distgrad.backend.dtypes import DType, is_floating
from distgrad.tensor.values import cast, fitting

__all__ = [
    "categories",
    "coins",
    "exponential",
    "generator_or_next",
    "normal",
    "unbounded",
    "uniform",
    "whole",
]

_Size = tuple[int, ...]


def generator_or_next(generator: Any) -> np.random.Generator:
    """Return the caller's generator, or the next one of the random scope.

    Raises:
        TypeError: If it is something else than a generator of NumPy.
    """
    if generator is None:
        return next_generator()
    if not isinstance(generator, np.random.Generator):
        raise TypeError(
            "generator must be a numpy.random.Generator, as numpy.random.default_rng(seed) makes "
            f"it, got {type(generator).__name__}; without one the draw is keyed by manual_seed()"
        )
    return generator


def uniform(rng: np.random.Generator, size: _Size, dtype: DType) -> Array:
    """Draw from [0, 1), with as many bits as the data type holds: rounding could give 1."""
    levels = 2.0 ** (limits(dtype).nmant + 1)
    return (np.floor(rng.random(size) * levels) / levels).astype(dtype)


def normal(rng: np.random.Generator, size: _Size, mean: Any, std: Any, dtype: DType) -> Array:
    """Draw from normal distributions; mean and std are numbers, or arrays of this size.

    Raises:
        RuntimeError: If a standard deviation is negative.
    """
    mean, std = to_host(mean), to_host(std)
    if not np.all(std >= 0):
        raise RuntimeError(f"normal(): std must not be negative, got {np.min(std)}")
    return cast(np.asarray(rng.standard_normal(size) * std + mean), dtype)


def exponential(rng: np.random.Generator, size: _Size, rate: float, dtype: DType) -> Array:
    """Draw from the exponential distribution of this rate; a draw is larger than 0.

    Raises:
        RuntimeError: If the rate is not positive.
    """
    if not rate > 0:
        raise RuntimeError(f"exponential_(): lambd must be positive, got {rate}")
    draws = cast(np.asarray(rng.standard_exponential(size) / rate), dtype)
    return np.maximum(draws, limits(dtype).tiny)


def coins(rng: np.random.Generator, p: Any, size: _Size) -> Array:
    """Draw truth values, each with its probability.

    Raises:
        RuntimeError: If a probability is not from 0 to 1.
    """
    p = to_host(p)
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError(
            f"bernoulli(): probabilities must be from 0 to 1, got some from {p.min()} to {p.max()}"
        )
    return rng.random(size) < p


def whole(rng: np.random.Generator, low: int, high: int, size: _Size, dtype: DType) -> Array:
    """Draw integers from ``low`` up to ``high`` - 1.

    Raises:
        RuntimeError: If there are none, or if the data type does not hold them.
    """
    if low >= high:
        raise RuntimeError(f"integers are drawn from low to high - 1, got {low} and {high}")
    if dtype.kind == "b" and (low < 0 or high > 2):
        raise RuntimeError(
            f"integers from {low} to {high - 1} do not fit bool, which holds 0 and 1"
        )
    for bound in (low, high - 1):
        fitting(bound, dtype)
    kind = np.uint64 if high > 2**63 else np.int64
    return np.asarray(rng.integers(low, high, size, dtype=kind)).astype(dtype)


def unbounded(dtype: DType) -> int:
    """Return the first integer that is too large for a data type, or for its digits."""
    if is_floating(dtype):
        return (2 << int(limits(dtype).nmant)) + 1
    return 2 if dtype.kind == "b" else int(np.iinfo(dtype).max) + 1


def categories(rng: np.random.Generator, weights: Array, count: int, replacement: bool) -> Array:
    """Draw places of the last axis, with chances in proportion to the weights."""
    if not replacement:  # the first of several clocks that ring at these rates
        with np.errstate(divide="ignore"):
            times = rng.standard_exponential(weights.shape) / weights
        return np.argsort(times, axis=-1, kind="stable")[..., :count]
    reached = np.cumsum(weights, axis=-1)
    total = reached[..., -1:]
    marks = rng.random((*weights.shape[:-1], count)) * total
    marks = np.minimum(marks, np.nextafter(total, 0))
    rows = zip(reached.reshape(-1, weights.shape[-1]), marks.reshape(-1, count), strict=True)
    drawn = [np.searchsorted(row, mark, side="right") for row, mark in rows]
    return np.array(drawn, np.int64).reshape(marks.shape)
