"""Slices of an array, one from each rank, that all ranks put together."""

from distgrad.backend import Array
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.hosts import Hosts
from distgrad.distributed.parts import owner_slices
from distgrad.distributed.shared_buffers import Share
from distgrad.distributed.shared_memory import share
from distgrad.flat import FlatLayout

__all__ = ["SharedSlices"]


class SharedSlices:
    """A place for the slice of each rank, which the ranks of its machine read.

    On each of the other machines one rank stands for it, is sent the slice, and has a place for it.

    Args:
        layout: Of the whole array.
        comm: The ranks. All of them make it together.
        hosts: Their machines.
        share: Makes memory that the ranks of a machine see. Default: `share`, for NumPy.

    Attributes:
        own: Where this rank writes its slice.

    Raises:
        NotSharedError: On every rank, if ranks of a machine cannot see each other's memory.
    """

    def __init__(
        self, layout: FlatLayout, comm: Communicator, hosts: Hosts, share: Share = share
    ) -> None:
        self._comm = comm
        self._hosts = hosts
        self._slices = owner_slices(layout.size, comm.size)
        self._places: dict[int, Array] = {}

        def kept(rank: int) -> list[tuple[int, int]]:
            owners = (rank, *hosts.served(rank))
            return [(o, self._slices[o].stop - self._slices[o].start) for o in owners]

        sizes = [sum(size for _, size in kept(rank)) for rank in range(comm.size)]
        for rank, memory in share(comm, [layout.dtype.itemsize * size for size in sizes]).items():
            rest = memory.view(layout.dtype)
            for owner, size in kept(rank):
                self._places[owner], rest = rest[:size], rest[size:]
        self.own = self._places[comm.rank]

    def put_together(self, out: Array) -> None:
        """Write the slices of the other ranks to an array; all ranks call it.

        Each has written its slice to `own`, and leaves it there until all have met once more.
        """
        if len(self._hosts.machines) > 1:
            self._comm.exchange(
                {agent: [self.own] for agent in self._hosts.agents(self._comm.rank)},
                {o: [self._places[o]] for o in self._hosts.served(self._comm.rank)},
            )
        self._comm.barrier()
        for owner, of_owner in self._places.items():
            if owner != self._comm.rank and of_owner.size:
                out[self._slices[owner]] = of_owner

    def gather(self, array: Array) -> None:
        """Bring an array up to date, of which each rank has changed its slice; all ranks call it.

        When it returns, nobody reads the slices any more.
        """
        self.own[...] = array[self._slices[self._comm.rank]]
        self.put_together(array)
        self._comm.barrier()
