"""What a loss function returns, and what of it is differentiated.

One loss is a sum with its count; the gradient of the sum is divided by the global count once it is
known, behind the reduction. Of several losses each is the mean by a count of its own: those counts
must be known before, so that each sum can be divided before they are added up.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from distgrad.distributed.communicator import Communicator
from distgrad.distributed.named_sums import NamedSums
from distgrad.distributed.record import StepRecord, checked_count
from distgrad.tensor import Tensor

__all__ = [
    "CountFunction",
    "LossFunction",
    "Losses",
    "OneLoss",
    "PenaltyFunction",
    "SeveralLosses",
    "Totals",
]

LossFunction: TypeAlias = Callable[[Any], tuple[Tensor, float] | Mapping[str, Tensor]]
"""Maps a micro-batch to (sum, count), or to the sums of several losses by name."""

CountFunction: TypeAlias = Callable[[Any], Mapping[str, float]]
"""Maps a micro-batch to the counts of several losses by name."""

PenaltyFunction: TypeAlias = Callable[[], Tensor]
"""Returns a scalar of the parameters, which no samples count."""


@dataclass(frozen=True)
class Totals:
    """What all ranks' losses add up to.

    Attributes:
        loss_sum: The sum, before it is divided.
        count: What the sum of the gradients is divided by; 0 where nothing counts.
        means: Of several losses, by name.
    """

    loss_sum: float
    count: float
    means: Mapping[str, float] = field(default_factory=dict)


class Losses(Protocol):
    """Turns what the loss function returns into the global mean."""

    def to_differentiate(self, returned: Any) -> tuple[Tensor | None, float]:
        """Return the scalar whose gradient is a micro-batch's share, and what it counts."""

    def totals(self, record: StepRecord, comm: Communicator) -> Totals:
        """Return what all shares add up to; every rank calls it."""


class OneLoss:
    """The loss is a sum with its count."""

    def to_differentiate(self, returned: Any) -> tuple[Tensor | None, float]:
        """See `Losses.to_differentiate`.

        Raises:
            TypeError: If ``returned`` is not a pair.
        """
        share, count = self.parts(returned)
        return share, checked_count(count)

    def parts(self, returned: Any) -> tuple[Tensor, Any]:
        """Return the sum and what it counts, which is not looked at.

        Raises:
            TypeError: If ``returned`` is not a pair.
        """
        if not isinstance(returned, Sequence) or len(returned) != 2:
            raise TypeError(
                "the loss returns (sum, count), a scalar Tensor and what it counts, got "
                f"{type(returned).__name__}; several losses by name need counts, too"
            )
        return returned[0], returned[1]

    def totals(self, record: StepRecord, comm: Communicator) -> Totals:  # noqa: ARG002 (see above)
        """See `Losses.totals`."""
        return Totals(record.loss_sum, record.count)


class SeveralLosses:
    """The loss is several sums by name.

    Args:
        counts: The global counts by name; a loss whose count is 0 takes no part.
    """

    def __init__(self, counts: Mapping[str, float]) -> None:
        self._counts = counts
        self._sums = NamedSums()

    def to_differentiate(self, returned: Any) -> tuple[Tensor | None, float]:
        """Return the losses, each divided by its global count, added in the order of their names.

        Raises:
            TypeError: If ``returned`` is not a mapping.
            ValueError: If it has a loss that is not counted.
        """
        if not isinstance(returned, Mapping):
            raise TypeError(
                "with counts the loss returns {name: sum}, a scalar Tensor for each of "
                f"{sorted(self._counts)}; got {type(returned).__name__}"
            )
        total = None
        for name in sorted(returned):
            if name not in self._counts:
                raise ValueError(
                    f"the loss {name!r} has no count; counts returned {sorted(self._counts)}"
                )
            if self._counts[name]:
                self._sums.add(name, returned[name].item())
                mean = returned[name] / self._counts[name]
                total = mean if total is None else total + mean
        return total, 0.0

    def totals(self, record: StepRecord, comm: Communicator) -> Totals:  # noqa: ARG002 (see above)
        """See `Losses.totals`; the count is 1, since each sum was divided before."""
        sums = self._sums.over_ranks(comm)
        means = {name: total / self._counts[name] for name, total in sums.items()}
        return Totals(math.fsum(means.values()), float(bool(means)), means)
