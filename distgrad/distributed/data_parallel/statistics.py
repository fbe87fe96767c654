"""Running statistics under accumulation: those of one process, however the batch is split."""

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary, ref

from distgrad.backend import Array
from distgrad.distributed.communicator import Communicator
from distgrad.nn import Module
from distgrad.nn.statistics import RunningStatistics

__all__ = ["StatisticsLog"]

_shared: WeakKeyDictionary[Communicator, list[ref[RunningStatistics]]] = WeakKeyDictionary()
"""The modules with running statistics of all models of the same ranks.

All of them, because the loss of one model may run another: a generator is judged by its critic. The
ranks build their models in the same order, so a place in the list means the same on every rank.
"""


class StatisticsLog:
    """Records what running statistics are to follow, and applies it in global order.

    Args:
        module: A model; the log is of it and of the other models of the same ranks.
        comm: The ranks; they hold contiguous ranges of micro-batches, in order.
    """

    def __init__(self, module: Module, comm: Communicator) -> None:
        self._comm = comm
        self._modules = _shared.setdefault(comm, [])
        self._modules += [
            ref(m)
            for m in module.modules()
            if isinstance(m, RunningStatistics) and m.follows_batches
        ]
        self._observed: list[dict[int, list[tuple[Array, ...]]]] = []
        """For each micro-batch of this rank what each module, by its place, observed in order."""

    def start(self) -> None:
        """Forget what was recorded: a step begins."""
        self._observed = []

    @contextmanager
    def micro_batch(self) -> Iterator[None]:
        """Record what is observed inside the block, unless it fails, as the next micro-batch's."""
        modules = dict(self._alive())
        for module in modules.values():
            module.recorded = []
        try:
            yield
            self._observed.append({place: m.recorded for place, m in modules.items() if m.recorded})
        finally:
            for module in modules.values():
                module.recorded = None

    def apply(self) -> None:
        """Let the running statistics follow the micro-batches of all ranks, on every rank."""
        if not self._modules:
            return
        modules = dict(self._alive())
        for of_rank in self._comm.all_gather_object(self._observed):
            for of_micro_batch in of_rank:
                for place, observed in of_micro_batch.items():
                    for statistics in observed:
                        modules[place].update_statistics(*statistics)

    def _alive(self) -> Iterator[tuple[int, RunningStatistics]]:
        for place, reference in enumerate(self._modules):
            module = reference()
            if module is not None:
                yield place, module
