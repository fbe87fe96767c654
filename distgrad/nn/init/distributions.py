"""One value, or independent draws from one distribution."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from distgrad.autograd import next_generator
from distgrad.backend import array_namespace
from distgrad.tensor import Tensor

__all__ = [
    "constant_",
    "filled",
    "normal_",
    "ones_",
    "trunc_normal_",
    "uniform_",
    "zeros_",
]

Draws = np.ndarray[Any, Any]

_FARTHEST = 10.0
"""In standard deviations: what a normal distribution has beyond is below 1e-22 of the whole."""


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: np.random.Generator | None = None
) -> Tensor:
    """Fill a tensor with draws from the uniform distribution on [a, b).

    Args:
        tensor: What is filled, in place.
        a: The lower bound.
        b: The upper bound.
        generator: Where the draws come from. Default: the next generator of the random scope.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: If the bounds are the wrong way round.

    Example:
        >>> import distgrad as dg
        >>> w = dg.nn.init.uniform_(dg.zeros(3, 5), -1.0, 1.0)
        >>> bool((abs(w) <= 1).all())
        True
    """
    _check_bounds("uniform_", a, b)
    generator = next_generator() if generator is None else generator
    return filled(tensor, generator.uniform(a, b, tensor.shape))


def normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Fill a tensor with draws from the normal distribution.

    Args:
        tensor: What is filled, in place.
        mean: Of the distribution.
        std: Its standard deviation.
        generator: Where the draws come from. Default: the next generator of the random scope.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: If ``std`` is negative.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.init.normal_(dg.zeros(3, 5), std=0.02).shape
        (3, 5)
    """
    if not std >= 0:
        raise RuntimeError(f"normal_() needs a standard deviation of 0 or more, got {std}")
    generator = next_generator() if generator is None else generator
    return filled(tensor, generator.normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Fill a tensor with draws from the normal distribution, drawn anew until they are in [a, b].

    Where most normal draws would be thrown away, uniform ones are kept with the probability that
    the density has there: C. P. Robert, "Simulation of truncated normal variables", Statistics and
    Computing 5, 1995.

    Args:
        tensor: What is filled, in place.
        mean: Of the distribution that is cut.
        std: Its standard deviation.
        a: The lower bound, the same for every ``std``; may be ``-math.inf``.
        b: The upper bound; may be ``math.inf``.
        generator: Where the draws come from. Default: the next generator of the random scope.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: If the bounds are the wrong way round, or ``std`` is not above 0.

    Example:
        >>> import distgrad as dg
        >>> w = dg.nn.init.trunc_normal_(dg.zeros(100), std=5.0)
        >>> bool((abs(w) <= 2).all())
        True
    """
    _check_bounds("trunc_normal_", a, b)
    if not std > 0:
        raise RuntimeError(f"trunc_normal_() needs a standard deviation above 0, got {std}")
    generator = next_generator() if generator is None else generator
    low, high = (a - mean) / std, (b - mean) / std
    values = np.empty(tensor.numel())
    draw = _normal_between if _mass(low, high) > 0.3 else _uniform_between
    _redraw(values, draw(low, high, generator))
    # Rounding must not lead out of the bounds.
    return filled(tensor, np.clip(mean + std * values, a, b).reshape(tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill a tensor with one value, in place, and return it."""
    return filled(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill a tensor with 0, in place, and return it."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill a tensor with 1, in place, and return it."""
    return constant_(tensor, 1.0)


def filled(tensor: Tensor, values: Any) -> Tensor:
    """Write values, an array or a number, into a tensor and return it."""
    tensor.data[...] = array_namespace(tensor.data).asarray(values)
    tensor.bump_version()
    return tensor


def _check_bounds(name: str, a: float, b: float) -> None:
    if not a <= b:
        raise RuntimeError(f"{name}() needs a lower bound that is not above the upper: {a} to {b}")


def _mass(low: float, high: float) -> float:
    """Return how much of the standard normal distribution lies between."""
    return 0.5 * (math.erf(high / math.sqrt(2.0)) - math.erf(low / math.sqrt(2.0)))


Sampler = Callable[[int], tuple[Draws, Draws]]
"""Returns so many candidates, and for each whether it is taken."""


def _redraw(values: Draws, sample: Sampler) -> None:
    """Fill an array with what a sampler accepts."""
    missing = np.arange(len(values))
    while len(missing):
        candidates, taken = sample(len(missing))
        values[missing[taken]] = candidates[taken]
        missing = missing[~taken]


def _normal_between(low: float, high: float, generator: np.random.Generator) -> Sampler:
    def sample(count: int) -> tuple[Draws, Draws]:
        drawn = generator.normal(size=count)
        return drawn, (low <= drawn) & (drawn <= high)

    return sample


def _uniform_between(low: float, high: float, generator: np.random.Generator) -> Sampler:
    mode = max(low, min(0.0, high))
    low, high = max(low, mode - _FARTHEST), min(high, mode + _FARTHEST)

    def sample(count: int) -> tuple[Draws, Draws]:
        drawn = generator.uniform(low, high, count)
        return drawn, np.log1p(-generator.random(count)) <= (mode**2 - drawn**2) / 2

    return sample
