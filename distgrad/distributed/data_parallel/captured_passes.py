"""Forward and backward passes of a model as graphs."""

from typing import Any

from distgrad.backend import device_name
from distgrad.backend.graphs import graphs_of
from distgrad.distributed.data_parallel.capture import Captures
from distgrad.distributed.data_parallel.losses import Losses, LossFunction, OneLoss
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.data_parallel.statistics import StatisticsLog
from distgrad.distributed.gradient_buffer import GradientBuffer, Gradients
from distgrad.distributed.record import checked_count
from distgrad.nn import Module
from distgrad.tensor import Tensor

__all__ = ["CapturedPasses"]

_Result = tuple[Tensor, Any, list[bool]]
"""A share of the loss, its count, and which parameters have a gradient."""


class CapturedPasses:
    """Runs micro-batches, recorded as graphs where that can be.

    Args:
        replica: The parameters; they lie on a GPU.
        module: The model.
        statistics: The running statistics of all models that a loss may run.

    Attributes:
        gradients: What the last micro-batch gave.

    Raises:
        DeviceError: If the model lies on the CPU.
    """

    def __init__(self, replica: Replica, module: Module, statistics: StatisticsLog) -> None:
        self._replica = replica
        self._module = module
        self._statistics = statistics
        self._captures: Captures[_Result] = Captures(graphs_of(device_name(replica.values)))
        self.gradients = GradientBuffer(replica.layout, replica.xp)

    def start(self, loss: LossFunction, losses: Losses, seed: int, step: int) -> None:
        """See `Passes.start`."""
        self._step = loss, losses, seed, step

    def run(self, batch: Any, micro_batch: int) -> tuple[float, float, Gradients]:
        """See `Passes.run`."""
        share, count = self._differentiated(batch, micro_batch)
        buffer = self._replica.reduction.open()
        self.gradients.copy_to(buffer)
        return 0.0 if share is None else share.item(), count, buffer

    def _differentiated(self, batch: Any, micro_batch: int) -> tuple[Tensor | None, float]:
        loss, losses, seed, step = self._step
        if not isinstance(losses, OneLoss) or self._statistics.follows():
            self.gradients.clear()
            share, count = losses.to_differentiate(loss(batch))
            self._replica.differentiate(share, self.gradients)
            return share, count

        def work(batch: Any) -> _Result:
            self.gradients.clear()
            share, count = losses.parts(loss(batch))
            self._replica.differentiate(share, self.gradients)
            return share.detach(), count, self.gradients.written.tolist()

        share, count, written = self._captures.run(
            work,
            batch,
            function=(loss, self._scale()),
            state=(seed, *self._state()),
            step=step,
            micro_batch=micro_batch,
        )
        self.gradients.mark(written)
        return share, checked_count(count)

    def _scale(self) -> float | None:
        """Return what the loss is multiplied with, if it is."""
        scale = self._replica.loss_scale
        return scale.value if scale else None

    def _state(self) -> tuple[Any, ...]:
        """Return what a recorded pass depends on in the model."""
        modes = [module.training for module in self._module.modules()]
        wanted = [parameter.requires_grad for parameter in self._replica.parameters]
        return (*modes, *wanted)
