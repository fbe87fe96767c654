"""How an average follows the weights: exponentially, or all alike."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from distgrad.autograd import no_grad
from distgrad.backend.dtypes import is_floating
from distgrad.tensor import Tensor

__all__ = [
    "Average",
    "MultiAverage",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
]

Average: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Returns the new average of (the average, the present value, how many went into it)."""

MultiAverage: TypeAlias = Callable[[Sequence[Tensor], Sequence[Tensor], Tensor], None]
"""Changes averages in place, given (them, the present values, how many went into them)."""


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Return the exponential moving average of a tensor: ``decay * a + (1 - decay) * p``.

    Args:
        decay: From 0 to 1. Default: 0.999.

    Raises:
        ValueError: If it is not.
    """
    _check(decay)

    @no_grad()
    def average(averaged: Tensor, current: Tensor, _: Tensor) -> Tensor:
        return averaged * decay + current * (1.0 - decay)

    return average


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """Return the exponential moving average of several tensors, in place.

    Args:
        decay: From 0 to 1. Default: 0.999.

    Raises:
        ValueError: If it is not.

    Example:
        >>> import distgrad as dg
        >>> average = dg.zeros(2)
        >>> get_ema_multi_avg_fn(0.75)([average], [dg.ones(2)], dg.tensor(1))
        >>> average.tolist()
        [0.25, 0.25]
    """
    one = get_ema_avg_fn(decay)

    def follow(averaged: Sequence[Tensor], current: Sequence[Tensor], number: Tensor) -> None:
        _follow(averaged, current, number, 1.0 - decay, one)

    return follow


def get_swa_avg_fn() -> Average:
    """Return the mean of all values that a tensor has had: stochastic weight averaging."""

    @no_grad()
    def average(averaged: Tensor, current: Tensor, number: Tensor) -> Tensor:
        return averaged + (current - averaged) / (int(number) + 1)

    return average


def get_swa_multi_avg_fn() -> MultiAverage:
    """Return the mean of all values that several tensors have had, in place."""
    one = get_swa_avg_fn()

    def follow(averaged: Sequence[Tensor], current: Sequence[Tensor], number: Tensor) -> None:
        _follow(averaged, current, number, 1.0 / (int(number) + 1), one)

    return follow


def _follow(
    averaged: Sequence[Tensor],
    current: Sequence[Tensor],
    number: Tensor,
    share: float,
    one: Average,
) -> None:
    """Move averages in place towards the present values; integers keep the whole part."""
    for average, value in zip(averaged, current, strict=True):
        if is_floating(average.dtype):
            average.data += (value.data - average.data) * share
            average.bump_version()
        else:
            average.copy_(one(average, value, number))


def _check(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"decay must be from 0 to 1, got {decay}")
