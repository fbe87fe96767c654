"""Running statistics under accumulation: those of one process, however the batch is split."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain
from weakref import WeakKeyDictionary, ref

from distgrad.backend import Array, device_name, to_device, to_host
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

    def follows(self) -> bool:
        """Tell whether running statistics look at what a micro-batch computes, in Python."""
        return any(module.follows_batches for _, module in self._alive())

    def start(self) -> None:
        """Forget what was recorded: a step begins."""
        self._observed = []

    def micro_batch(self) -> AbstractContextManager[None]:
        """Record what is observed inside the block, unless it fails, as the next micro-batch's."""
        return self._recording() if self._modules else nullcontext()

    @contextmanager
    def _recording(self) -> Iterator[None]:
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
        on_host = [
            {place: [tuple(map(to_host, s)) for s in observed] for place, observed in of.items()}
            for of in self._observed
        ]
        for of_rank in self._comm.all_gather_object(on_host):
            for of_micro_batch in of_rank:
                for place, observed in of_micro_batch.items():
                    module = modules[place]
                    device = _device_of(module)
                    for statistics in observed:
                        module.update_statistics(*(to_device(s, device) for s in statistics))

    def _alive(self) -> Iterator[tuple[int, RunningStatistics]]:
        for place, reference in enumerate(self._modules):
            module = reference()
            if module is not None:
                yield place, module


def _device_of(module: Module) -> str:
    """Return the device on which a module lies."""
    return next((device_name(t.data) for t in chain(module.buffers(), module.parameters())), "cpu")
