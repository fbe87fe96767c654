"""Parts in memory that the ranks of a machine see, each of which owns a slice of the sum."""

from collections.abc import Iterator, Sequence

import numpy as np

from distgrad.backend import Array
from distgrad.distributed.adding import Addition
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.distributed.hosts import Hosts
from distgrad.distributed.parts import owner_slices
from distgrad.distributed.shared_buffers import SharedBuffers
from distgrad.distributed.shared_slices import SharedSlices
from distgrad.distributed.tree import Division, joined
from distgrad.flat import FlatLayout

__all__ = ["SlicedParts"]


class SlicedParts:
    """`Parts` of which each rank adds up its slice, and then reads the sums of the other slices.

    On its machine a rank reads the others' parts. On each of the other machines one rank stands for
    it, which adds up the parts there as far as the tree allows, sends it those sums, and gets the
    sum over all, for the ranks there to read. So a slice is sent once to a machine and once back,
    where the ranks of a machine follow each other and the leaves of each machine are a subtree.

    When the records of a step are there, all parts of it are complete, and every rank has read the
    sums of the step before: so they may be written. When all are, the ranks meet. From then on
    nobody reads the parts, which may be used for the next step; and the sums may be read, which a
    rank does before it sends its next record.

    Args:
        layout: Where the gradient of each parameter lies.
        comm: The ranks. All of them make it together.
        hosts: Their machines.
        gathers: Whether all ranks get the whole sum, and not their slices only.

    Raises:
        NotSharedError: On every rank, if ranks of a machine cannot see each other's memory.
    """

    def __init__(self, layout: FlatLayout, comm: Communicator, hosts: Hosts, gathers: bool) -> None:
        self.told = "shared" if len(hosts.machines) == 1 else "shared on each machine, mpi between"
        self._comm = comm
        self._hosts = hosts
        self._gathers = gathers
        self._slices = owner_slices(layout.size, comm.size)
        self._buffers = SharedBuffers(layout, comm)
        self._buffers.grow([1] * comm.size)
        self._shared = SharedSlices(layout, comm, hosts)
        self._division: Division | None = None

    @property
    def buffers(self) -> list[GradientBuffer]:
        """See `Parts.buffers`."""
        return self._buffers.own

    def load(self, number: int) -> None:
        """See `Parts.load`."""

    def prepare(self, division: Division) -> None:
        """See `Parts.prepare`."""
        if division is self._division:
            return
        self._buffers.grow(division.subtrees)
        flat, hosts = self._buffers.flat, self._hosts
        self._work = _Work(division, flat, self._slices, hosts, self._comm.rank)
        self._division = division

    def finish(self, divisor: float, out: Array, loads: Array | None) -> None:  # noqa: ARG002
        """See `Parts.finish`."""
        comm, work = self._comm, self._work
        for addition, total in work.for_others:
            addition.run([total])
        if len(self._hosts.machines) > 1:
            comm.exchange(work.leaving, work.arriving)
        if not self._gathers:
            work.of_own_slice.run([out], divisor)
            comm.barrier()
            return
        work.of_own_slice.run([out[self._slices[comm.rank]], self._shared.own], divisor)
        self._shared.put_together(out)

    def gather(self, array: Array) -> None:
        """See `Parts.gather`."""
        self._shared.gather(array)


class _Work:
    """What this rank adds up and sends where the leaves are divided in one way.

    Args:
        division: The way.
        flat: The shared parts of each rank of this machine.
        slices: What each rank owns.
        hosts: The machines.
        rank: This rank.

    Attributes:
        for_others: The additions for owners elsewhere, and where the sums go.
        leaving: Those sums, and parts that are sums already, by owner.
        arriving: Places for what comes for the own slice, by rank.
        of_own_slice: The addition of all that belongs to it.
    """

    def __init__(
        self,
        division: Division,
        flat: Sequence[Sequence[Array]],
        slices: Sequence[slice],
        hosts: Hosts,
        rank: int,
    ) -> None:
        self.for_others: list[tuple[Addition, Array]] = []
        self.leaving: dict[int, list[Array]] = {owner: [] for owner in hosts.served(rank)}
        self.arriving: dict[int, list[Array]] = {agent: [] for agent in hosts.agents(rank)}
        own: list[tuple[range, Array]] = []
        for run in hosts.runs():
            nodes = [node for member in run for node in division.parts[member]]
            if run[0] in hosts.here:
                of_run = [a for member in run for a in flat[member][: division.subtrees[member]]]
                own += zip(nodes, [array[slices[rank]] for array in of_run], strict=True)
                for owner, sums in self.leaving.items():
                    parts = [array[slices[owner]] for array in of_run]
                    sums += self._summed(list(zip(nodes, parts, strict=True)), division.leaves)
            else:
                places = self.arriving[hosts.agent(rank, run[0])]
                for node in joined(nodes, division.leaves)[0]:
                    places.append(np.empty_like(flat[rank][0][slices[rank]]))
                    own.append((node, places[-1]))
        self.of_own_slice = _addition(own, division.leaves)

    def _summed(self, parts: Sequence[tuple[range, Array]], count: int) -> Iterator[Array]:
        """Return what some parts add up to on this machine, and enter the additions."""
        for node in joined([leaves for leaves, _ in parts], count)[0]:
            within = [part for part in parts if node.start <= part[0].start < node.stop]
            if len(within) == 1:
                yield within[0][1]
            else:
                self.for_others.append((_addition(within, count), np.empty_like(within[0][1])))
                yield self.for_others[-1][1]


def _addition(parts: Sequence[tuple[range, Array]], count: int) -> Addition:
    nodes, arrays = zip(*parts, strict=True)
    return Addition(arrays, joined(nodes, count)[1])
