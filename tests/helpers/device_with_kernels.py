"""The strict double with kernels in CUDA C, which the emulator runs, and with graphs of them.

A graph here is what it is on a GPU: what was launched, with the arguments that it had when it was
recorded, on the same memory.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
from helpers import emulator
from helpers.strict_device import StrictDevice, device_array, strict_device

from distgrad.backend.kernels import use
from distgrad.backend.kernels.cuda import launching, load_column
from distgrad.backend.kernels.cuda.draws import placed

__all__ = ["KernelGraphs", "device_with_kernels"]


class KernelGraphs:
    """Graphs of kernels and of the double's own functions.

    Attributes:
        launched: How many kernels were launched, or run by a graph.
        recorded: How many graphs were recorded.
        replays: How often one was replayed.
    """

    def __init__(self, device: StrictDevice) -> None:
        self._device = device
        self._place = device_array(np.zeros(2, np.uint64), 0)
        self.launched = self.recorded = self.replays = 0

    def launch(self, run: Callable[[], None]) -> None:
        if self._device.recorded is None:
            self.launched += 1
            run()
        else:
            self._device.recorded.append(lambda: self.launch(run))

    def is_capturing(self) -> bool:
        return self._device.recorded is not None

    def record(self, work: Callable[[], Any]) -> tuple[Any, Callable[[int, int], None]]:
        assert self._device.recorded is None, "a graph is recorded already"
        done = self._device.recorded = []
        try:
            with placed(self._place):
                result = work()
        finally:
            self._device.recorded = None
        self.recorded += 1

        def replay(step: int, micro_batch: int) -> None:
            self.replays += 1
            self._place._host[:] = micro_batch, step
            for again in done:
                again()

        return result, replay


@contextmanager
def device_with_kernels() -> Iterator[KernelGraphs]:
    """Let ``cuda`` be the double with all kernels, inside the block."""
    with strict_device() as device:
        graphs = KernelGraphs(device)
        stream = SimpleNamespace(ptr=0, is_capturing=graphs.is_capturing)
        device.xp.RawModule = lambda **given: _Module(graphs, emulator.RawModule(**given))
        device.xp.cuda = SimpleNamespace(get_current_stream=lambda: stream)
        device.graphs = lambda index: graphs  # type: ignore[attr-defined]
        before = use(device.xp, load_column())
        _forget_modules()
        try:
            yield graphs
        finally:
            _forget_modules()
            use(device.xp, before)
            del device.xp.RawModule, device.xp.cuda, device.graphs  # type: ignore[attr-defined]


def _forget_modules() -> None:
    launching._kernel.cache_clear()
    launching._module.cache_clear()


class _Module:
    def __init__(self, graphs: KernelGraphs, module: emulator.RawModule) -> None:
        self._graphs = graphs
        self._module = module

    def get_function(self, name: str) -> Any:
        function = self._module.get_function(name)

        def launch(grid: Any, block: Any, args: Any, *, shared_mem: int = 0) -> None:
            hosts = [arg._host if isinstance(arg, device_array) else arg for arg in args]
            self._graphs.launch(lambda: function(grid, block, hosts, shared_mem=shared_mem))

        return launch
