"""Copies between a GPU and the machine's memory, on a CUDA stream of their own."""

from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.copies import Done

__all__ = ["StreamCopies"]


class StreamCopies:
    """A `distgrad.backend.copies.Copies` of CuPy's arrays on one GPU.

    Args:
        xp: CuPy.
        index: The number of the GPU.
    """

    def __init__(self, xp: Namespace, index: int) -> None:
        self._cuda = xp.cuda
        with self._cuda.Device(index):
            self._stream = self._cuda.Stream(non_blocking=True)

    def buffer(self, nbytes: int) -> Array:
        """See `Copies.buffer`; the memory is pinned, and the array owns it."""
        memory = self._cuda.alloc_pinned_memory(nbytes)
        return np.ndarray((nbytes,), np.uint8, buffer=memory)

    def begin(self) -> None:
        """See `Copies.begin`."""
        self._stream.wait_event(self._cuda.get_current_stream().record())

    def to_host(self, source: Array, target: Array) -> Done:
        """See `Copies.to_host`."""
        source.get(stream=self._stream, out=target, blocking=False)
        return self._recorded()

    def to_device(self, source: Array, target: Array) -> Done:
        """See `Copies.to_device`."""
        target.set(source, stream=self._stream)
        return self._recorded()

    def follow(self) -> None:
        """See `Copies.follow`."""
        self._cuda.get_current_stream().wait_event(self._stream.record())

    def synchronize(self) -> None:
        """See `Copies.synchronize`."""
        self._stream.synchronize()

    def _recorded(self) -> Done:
        event: Any = self._stream.record()
        done: Done = event
        return done
