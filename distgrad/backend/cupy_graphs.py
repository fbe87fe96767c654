"""CUDA graphs by CuPy's stream capture."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from distgrad.backend.arrays import Namespace
from distgrad.backend.graphs import Replay
from distgrad.backend.kernels.cuda.draws import placed

__all__ = ["StreamGraphs"]

T = TypeVar("T")


class StreamGraphs:
    """A `distgrad.backend.graphs.Graphs` on one GPU.

    Each graph has a memory pool of its own, which lives as long as its replay: CuPy's pools would
    give memory that a graph writes to somebody else.

    Args:
        xp: CuPy.
        index: The number of the GPU.
    """

    def __init__(self, xp: Namespace, index: int) -> None:
        self._xp = xp
        self._device = xp.cuda.Device(index)
        with self._device:
            self._stream = xp.cuda.Stream(non_blocking=True)
            self._place = xp.zeros(2, "uint64")
        self._placed = (0, 0)

    def record(self, work: Callable[[], T]) -> tuple[T, Replay]:
        """See `Graphs.record`."""
        cuda, pool = self._xp.cuda, self._xp.cuda.MemoryPool()
        self._device.synchronize()
        with self._device, cuda.using_allocator(pool.malloc), self._stream, placed(self._place):
            result, graph = self._captured(work)

        def replay(step: int, micro_batch: int, _kept: Any = (pool, result)) -> None:
            if (step, micro_batch) != self._placed:
                self._place.set(np.array([micro_batch, step], np.uint64))
                self._placed = step, micro_batch
            graph.launch(cuda.get_current_stream())

        return result, replay

    def _captured(self, work: Callable[[], T]) -> tuple[T, Any]:
        self._stream.begin_capture()
        try:
            result = work()
        except BaseException:
            self._abandon()
            raise
        return result, self._stream.end_capture()

    def _abandon(self) -> None:
        """End a capture that failed: that it did is known, and why is about to be told."""
        try:
            self._stream.end_capture()
        except self._xp.cuda.runtime.CUDARuntimeError:
            self._stream = self._xp.cuda.Stream(non_blocking=True)
