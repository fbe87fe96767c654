"""Copies between a GPU and the machine's memory that go on beside what the GPU computes.

They use a stream of their own and memory that is pinned, so that neither the processor nor the GPU
waits for them. An array library without streams copies at once.
"""

from typing import Any, Protocol

import numpy as np

from distgrad.backend.arrays import Array
from distgrad.backend.devices import provider, read_device, to_device, to_host

__all__ = ["Copies", "Done", "copies_of"]


class Done(Protocol):
    """A copy under way."""

    def synchronize(self) -> None:
        """Wait until it is made."""


class Copies(Protocol):
    """A stream of copies, which are made in the order in which they are begun."""

    def buffer(self, nbytes: int) -> Array:
        """Return so many bytes of the machine's memory, from and to which copies do not wait."""

    def begin(self) -> None:
        """Let what is copied from now on wait for what the GPU was given to compute before."""

    def to_host(self, source: Array, target: Array) -> Done:
        """Begin to copy an array of the GPU into one of NumPy, of one shape and data type."""

    def to_device(self, source: Array, target: Array) -> Done:
        """Begin to copy an array of NumPy into one of the GPU, of one shape and data type."""

    def follow(self) -> None:
        """Let what the GPU is given to compute from now on wait for the copies begun so far."""

    def synchronize(self) -> None:
        """Wait until all copies are made: then their arrays may be given away."""


def copies_of(device: str) -> Copies:
    """Return a new stream of copies from and to a GPU.

    Raises:
        DeviceError: If there is no such device.
    """
    index = read_device(device)
    assert index is not None  # of the CPU nothing is copied
    make: Any = getattr(provider(), "copies", None)
    copies: Copies = CopiesAtOnce(f"cuda:{index}") if make is None else make(index)
    return copies


class CopiesAtOnce:
    """Copies of an array library without streams; see `Copies`."""

    def __init__(self, device: str) -> None:
        self._device = device

    def buffer(self, nbytes: int) -> Array:
        """See `Copies.buffer`."""
        return np.empty(nbytes, np.uint8)

    def begin(self) -> None:
        """There is nothing to wait for."""

    def to_host(self, source: Array, target: Array) -> Done:
        """See `Copies.to_host`."""
        target[...] = to_host(source)
        return self

    def to_device(self, source: Array, target: Array) -> Done:
        """See `Copies.to_device`."""
        target[...] = to_device(source, self._device)
        return self

    def follow(self) -> None:
        """There is nothing to wait for."""

    def synchronize(self) -> None:
        """There is nothing to wait for."""
