"""Parts that travel in messages: between machines, between GPUs, and where no memory is shared."""

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.distributed.parts import owner_bounds, owner_slices
from distgrad.distributed.tree import Division
from distgrad.distributed.tree_addition import tree_mean
from distgrad.flat import BLOCK, FlatLayout

__all__ = ["PartsInMessages"]

_FEW = 4 * BLOCK
"""Elements, of all ranks together, that are sent whole and not slice by slice."""


class PartsInMessages:
    """`Parts` that every rank sends to the owners of slices, which send the sums to all.

    With ranges aligned to powers of two this moves as many bytes as an all-reduce does. Where the
    gradients of all ranks are few bytes, every rank gets them whole and combines them by itself:
    the first part travels with the record, so that a step with aligned ranges has one message. The
    record is on the host: gradients on other devices go on their own.

    Args:
        layout: Where the gradient of each parameter lies.
        comm: The ranks.
        xp: The array module of the parameters.
        gathers: Whether all ranks get the whole sum, and not their slices only.
        told: What is to be said of the way.
        buffers: With parts, if there are some already.
    """

    def __init__(
        self,
        layout: FlatLayout,
        comm: Communicator,
        xp: Namespace,
        gathers: bool,
        told: str = "mpi",
        buffers: Sequence[GradientBuffer] = (),
    ) -> None:
        self.told = told
        self.buffers = list(buffers)
        self._layout = layout
        self._comm = comm
        self._xp = xp
        self._gathers = gathers
        self._bounds = owner_bounds(layout.size, comm.size)
        self._own = owner_slices(layout.size, comm.size)[comm.rank]
        is_sent_whole = xp is np and comm.size > 1 and comm.size * layout.size <= _FEW
        self._empty_load = layout.zeros() if gathers and is_sent_whole else None

    def load(self, number: int) -> Array | None:
        """See `Parts.load`."""
        has_part = self._empty_load is not None and number
        return self.buffers[0].flat if has_part else self._empty_load

    def prepare(self, division: Division) -> None:
        """See `Parts.prepare`."""
        self._division = division

    def finish(self, divisor: float, out: Array, loads: Array | None) -> None:
        """See `Parts.finish`."""
        if loads is not None:
            self._add_up(self._parts_of_all(loads), divisor, out)
            return
        own = out[self._own] if self._gathers else out
        parts = self._exchange_slices()
        if self._own.start < self._own.stop:
            self._add_up(parts, divisor, own)
        if self._gathers:
            self.gather(out)

    def gather(self, array: Array) -> None:
        """See `Parts.gather`."""
        self._comm.all_gather_slices(array, self._bounds)

    def _exchange_slices(self) -> list[Array]:
        """Send every owner its slice of this rank's parts; return all parts of the own slice."""
        comm, bounds, own = self._comm, self._bounds, self._own
        numbers = self._division.subtrees
        mine = [buffer.flat for buffer in self.buffers[: numbers[comm.rank]]]
        others = [rank for rank in range(comm.size) if rank != comm.rank]
        arriving = {
            rank: [
                self._xp.empty(own.stop - own.start, self._layout.dtype)
                for _ in range(numbers[rank])
            ]
            for rank in others
            if own.start < own.stop
        }
        comm.exchange(
            {
                rank: [flat[bounds[rank] : bounds[rank + 1]] for flat in mine]
                for rank in others
                if bounds[rank] < bounds[rank + 1]
            },
            arriving,
        )
        arriving[comm.rank] = [flat[own] for flat in mine]
        return [part for rank in sorted(arriving) for part in arriving[rank]]

    def _parts_of_all(self, loads: Array) -> Iterable[Array]:
        """Return the parts of all ranks, whole, of which the first ones have come."""
        numbers = self._division.subtrees
        more = max(numbers) - 1
        if more < 1:
            return [load for load, number in zip(loads, numbers, strict=True) if number]
        own = np.zeros((more, self._layout.size), self._layout.dtype)
        mine = self.buffers[1 : numbers[self._comm.rank]]
        for row, buffer in zip(own, mine, strict=False):
            row[:] = buffer.flat
        of_ranks = zip(loads, self._comm.all_gather(own), numbers, strict=True)
        return chain.from_iterable([load, *rows][:number] for load, rows, number in of_ranks)

    def _add_up(self, parts: Iterable[Array], divisor: float, out: Array) -> None:
        """Write the sum of the parts of all ranks, divided; they are used as scratch."""
        tree_mean(self._xp, out, None, *parts, additions=self._division.across, divisor=divisor)
