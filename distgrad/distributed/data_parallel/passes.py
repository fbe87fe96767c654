"""Forward and backward passes of micro-batches: how one is run."""

from collections.abc import Callable
from typing import Any, Protocol

from distgrad.distributed.data_parallel.losses import Losses, LossFunction
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.gradient_buffer import Gradients

__all__ = ["EagerPasses", "Passes"]


class Passes(Protocol):
    """Runs the passes of a step's micro-batches."""

    def start(self, loss: LossFunction, losses: Losses, seed: int, step: int) -> None:
        """Begin a step of that number, from 1, whose draws are keyed by a seed."""

    def run(self, batch: Any, micro_batch: int) -> tuple[float, float, Gradients]:
        """Run a micro-batch in its random scope.

        Returns:
            Its share of the loss, what that counts, and what was opened of the reduction, with the
            gradients in it.
        """


class EagerPasses:
    """Calls the loss for each micro-batch.

    Args:
        replica: The parameters.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def start(self, loss: LossFunction, losses: Losses, seed: int, step: int) -> None:  # noqa: ARG002
        """See `Passes.start`."""
        self.loss, self._losses = loss, losses

    def run(self, batch: Any, micro_batch: int) -> tuple[float, float, Gradients]:  # noqa: ARG002
        """See `Passes.run`."""
        return self.run_into(self._replica.reduction.open, batch)

    def run_into(
        self, opened: Callable[[], Gradients], batch: Any
    ) -> tuple[float, float, Gradients]:
        """Run a micro-batch, and let its gradients be opened when the loss is there."""
        share, count = self._losses.to_differentiate(self.loss(batch))
        buffer = opened()
        self._replica.differentiate(share, buffer)
        return 0.0 if share is None else share.item(), count, buffer
