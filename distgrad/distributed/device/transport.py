"""What carries arrays of GPUs between ranks."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from distgrad.backend import Array

__all__ = ["Transport"]


class Transport(Protocol):
    """The operations of a `Communicator` that take arrays, for arrays of this rank's GPU.

    What this rank's GPU was given to compute before is in the arrays that leave, and what it is
    given afterwards sees those that have come.
    """

    def broadcast(self, array: Array, root: int) -> None:
        """See `Communicator.broadcast`."""

    def all_reduce(self, array: Array) -> None:
        """See `Communicator.all_reduce`."""

    def all_gather(self, array: Array) -> Array:
        """See `Communicator.all_gather`."""

    def all_gather_slices(self, array: Array, bounds: Sequence[int]) -> None:
        """See `Communicator.all_gather_slices`."""

    def exchange(
        self, outgoing: Mapping[int, Sequence[Array]], incoming: Mapping[int, Sequence[Array]]
    ) -> None:
        """See `Communicator.exchange`; every rank calls it, also one that has nothing to send."""
