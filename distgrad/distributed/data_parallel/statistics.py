"""Running statistics under accumulation: those of one process, however the batch is split."""

from collections.abc import Iterator
from contextlib import contextmanager

from distgrad.backend import Array
from distgrad.distributed.communicator import Communicator
from distgrad.nn import Module
from distgrad.nn.statistics import RunningStatistics

__all__ = ["StatisticsLog"]


class StatisticsLog:
    """Records what a model's running statistics are to follow, and applies it in global order.

    Args:
        module: The model.
        comm: The ranks; they hold contiguous ranges of micro-batches, in order.
    """

    def __init__(self, module: Module, comm: Communicator) -> None:
        self._comm = comm
        self._modules = [m for m in module.modules() if isinstance(m, RunningStatistics)]
        self._observed: list[list[list[tuple[Array, ...]]]] = []
        """For each micro-batch of this rank and each module, what it observed, call by call."""

    def start(self) -> None:
        """Forget what was recorded: a step begins."""
        self._observed = []

    @contextmanager
    def micro_batch(self) -> Iterator[None]:
        """Record what is observed inside the block, unless it fails, as the next micro-batch's."""
        observed: list[list[tuple[Array, ...]]] = [[] for _ in self._modules]
        try:
            for module, into in zip(self._modules, observed, strict=True):
                module.recorded = into
            yield
        finally:
            for module in self._modules:
                module.recorded = None
        self._observed.append(observed)

    def apply(self) -> None:
        """Let the running statistics follow the micro-batches of all ranks, on every rank."""
        if not self._modules:
            return
        for of_rank in self._comm.all_gather_object(self._observed):
            for of_micro_batch in of_rank:
                for module, observed in zip(self._modules, of_micro_batch, strict=True):
                    for statistics in observed:
                        module.update_statistics(*statistics)
