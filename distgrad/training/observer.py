"""Who looks into the steps of training."""

from collections.abc import Mapping
from typing import Protocol

from distgrad.backend import Array
from distgrad.distributed.data_parallel import StepResult, Window

__all__ = ["Observer"]


class Observer(Protocol):
    """Is shown what a step is made of; it must change nothing."""

    def micro_batch(
        self, index: int, loss_sum: float, count: float, gradients: Mapping[str, Array], /
    ) -> None:
        """Look at a micro-batch, on the rank that runs it; see `DataParallel.accumulate`."""

    def step(self, window: Window, result: StepResult, /) -> None:
        """Look at a step on every rank: gradients are reduced, not clipped, maybe not finite."""
