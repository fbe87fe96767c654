"""Random numbers from a tensor's values, and in place of them."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from distgrad import ops
from distgrad.backend import Array, to_host
from distgrad.backend.bfloat16 import limits
from distgrad.tensor import draws
from distgrad.tensor.device import placed
from distgrad.tensor.methods.array import OfArray
from distgrad.tensor.operands import raw
from distgrad.tensor.values import cast

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Random"]


class Random(OfArray):
    """Draws, each a call of the random scope unless a generator is given.

    In place they are refused where `Tensor.copy_` is. The gradient through them is 0.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def copy_(self, source: Any) -> Self:
            """See `distgrad.Tensor.copy_`."""

    def bernoulli(self, p: float | None = None, *, generator: Any = None) -> "Tensor":
        """Return 1 with the chance that each element, or ``p``, gives, and else 0."""
        if p is None:
            self._only_floating("bernoulli")
        drawn = draws.coins(
            draws.generator_or_next(generator), self.data if p is None else p, self.shape
        )
        return self._behind(drawn.astype(self.dtype))

    def _behind(self, drawn: Array) -> "Tensor":
        """Return a draw that this tensor is a parameter of: its gradient is 0, not missing."""
        return self._apply(ops.where, np.True_, placed(drawn, self.device), self)

    def multinomial(
        self, num_samples: int, replacement: bool = False, *, generator: Any = None
    ) -> "Tensor":
        """Return places of the last axis, drawn in proportion to the elements."""
        self._only_floating("multinomial")
        if self.ndim not in (1, 2) or not self.shape[-1]:
            raise RuntimeError(
                f"multinomial() takes 1 or 2 axes of at least one weight, got shape {self.shape}"
            )
        weights = to_host(self.data).astype(np.float64)
        if not (np.isfinite(weights) & (weights >= 0)).all() or not weights.any(-1).all():
            raise RuntimeError(
                "multinomial() takes finite weights that are not negative, one of each row larger "
                "than 0"
            )
        enough = num_samples if replacement else min(num_samples, self.shape[-1])
        if not 0 < num_samples == enough:
            raise RuntimeError(
                f"multinomial(): num_samples must be from 1 to {self.shape[-1]}, the number of "
                f"weights, got {num_samples}; with replacement=True it may be larger"
            )
        rng = draws.generator_or_next(generator)
        drawn = draws.categories(rng, weights, num_samples, replacement)
        return self.of(placed(drawn, self.device))

    def normal_(self, mean: float = 0, std: float = 1, *, generator: Any = None) -> Self:
        """Set the elements to draws from a normal distribution."""
        self._only_floating("normal_")
        rng = draws.generator_or_next(generator)
        return self.copy_(draws.normal(rng, self.shape, mean, std, self.dtype))

    def log_normal_(self, mean: float = 1, std: float = 2, *, generator: Any = None) -> Self:
        """Set the elements to draws whose logarithms have a normal distribution."""
        self._only_floating("log_normal_")
        if not std > 0:
            raise RuntimeError(f"log_normal_(): std must be positive, got {std}")
        rng = draws.generator_or_next(generator)
        logarithms = draws.normal(rng, self.shape, mean, std, np.dtype(np.float64))
        with np.errstate(over="ignore"):
            return self.copy_(cast(np.exp(logarithms), self.dtype))

    def cauchy_(self, median: float = 0, sigma: float = 1, *, generator: Any = None) -> Self:
        """Set the elements to draws from a Cauchy distribution."""
        self._only_floating("cauchy_")
        if not sigma > 0:
            raise RuntimeError(f"cauchy_(): sigma must be positive, got {sigma}")
        rng = draws.generator_or_next(generator)
        return self.copy_(cast(median + sigma * rng.standard_cauchy(self.shape), self.dtype))

    def uniform_(self, low: float = 0, to: float = 1, *, generator: Any = None) -> Self:
        """Set the elements to draws from [low, to)."""
        self._only_floating("uniform_")
        limit = float(limits(self.dtype).max)
        if not -limit <= low <= to <= limit or to - low > limit:
            raise RuntimeError(
                f"uniform_() draws from low to a larger number, both within {self.dtype}, got "
                f"{low} and {to}"
            )
        rng = draws.generator_or_next(generator)
        drawn = draws.uniform(rng, self.shape, self.dtype) * (to - low) + low
        if low < to:
            drawn = np.minimum(drawn, np.nextafter(self.dtype.type(to), self.dtype.type(low)))
        return self.copy_(drawn)

    def exponential_(self, lambd: float = 1, *, generator: Any = None) -> Self:
        """Set the elements to draws from the exponential distribution of rate ``lambd``."""
        self._only_floating("exponential_")
        rng = draws.generator_or_next(generator)
        return self.copy_(draws.exponential(rng, self.shape, lambd, self.dtype))

    def geometric_(self, p: float, *, generator: Any = None) -> Self:
        """Set the elements to how many trials it takes until one of chance ``p`` succeeds."""
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_(): p must be between 0 and 1, got {p}")
        self._number("geometric_")
        rng = draws.generator_or_next(generator)
        return self.copy_(cast(rng.geometric(p, self.shape), self.dtype))

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Self:
        """Set the elements to 1 with the chance ``p``, a number or a Tensor, and else to 0."""
        rng = draws.generator_or_next(generator)
        return self.copy_(draws.coins(rng, raw(p), self.shape))

    def random_(self, *bounds: int, to: int | None = None, generator: Any = None) -> Self:
        """Set the elements to integers, each as likely as the others.

        Args:
            *bounds: The smallest one, by default 0, and the first that is too large, by default
                what is too large for the data type (of floating-point numbers: for its digits).
            to: The second bound, by name.
            generator: Where the draws come from.
        """
        given: Any = bounds if to is None else (*bounds, to)
        if len(given) > 2:
            raise TypeError(f"random_() takes at most two bounds, got {given}")
        low, high = (0, *given) if len(given) == 1 else given or (0, None)
        if high is None:
            high = draws.unbounded(self.dtype)
        rng = draws.generator_or_next(generator)
        return self.copy_(draws.whole(rng, low, high, self.shape, self.dtype))
