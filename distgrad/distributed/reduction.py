"""The reductions: how the gradients of all micro-batches of a step become one sum on every rank.

A reduction is used like this, on every rank::

    reduction.start(count, leaves_of_each_rank)
    for leaf in leaves_of_each_rank[comm.rank]:
        gradients = reduction.open()      # contributions are written there
        reduction.close()
    loads = ...                        # the reduction.load() of all ranks, sent with their records
    reduction.finish(divisor, kept, loads)    # kept = sum over all leaves / divisor

What is kept is the whole flat gradient or, where the reduction has bounds, this rank's slice of it.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.distributed.choice import choose_parts, parts_in_messages
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.gradient_buffer import GradientBuffer, Gradients, HeldGradients
from distgrad.distributed.parts import owner_bounds
from distgrad.distributed.shared_memory import NotSharedError
from distgrad.distributed.tree import divided
from distgrad.flat import FlatLayout

__all__ = [
    "REDUCTIONS",
    "AllReduce",
    "Reduction",
    "ShardedReduction",
    "TreeReduction",
]


class Reduction(Protocol):
    """Sums the gradients of a step over the micro-batches of all ranks."""

    @property
    def transport(self) -> str:
        """What carries gradients between the ranks, and why."""

    @property
    def bounds(self) -> Sequence[int] | None:
        """Rank r keeps elements bounds[r] to bounds[r + 1] of the result; None: all keep all."""

    def start(self, count: int, leaves: Sequence[range]) -> None:
        """Begin a step of ``count`` leaves, of which rank r contributes ``leaves[r]``."""

    def open(self, in_place: bool = False) -> Gradients:
        """Return what the next leaf's gradients are to be written to.

        With ``in_place`` it is a `GradientBuffer`, for gradients that are computed into its views.
        """

    def close(self) -> None:
        """Take what was opened last as complete."""

    def used(self) -> Array:
        """Return for each parameter whether a leaf of this rank wrote a gradient."""

    def load(self) -> Array | None:
        """Return what this rank sends with its record, as long on every rank at every time.

        So ranks that have lost step with each other can still read each other's records.
        """

    def finish(self, divisor: float, out: Array, loads: Array | None) -> None:
        """Write what is kept of the sum over all leaves, divided by ``divisor``, to ``out``.

        ``loads`` are those of all ranks, stacked; they are used as scratch.
        """

    def gather(self, array: Array) -> None:
        """Bring an array up to date, of which each rank has changed what it keeps.

        All ranks call it; where they keep all, there is nothing to do.

        Args:
            array: As long as the gradient, and of its type.
        """


class ShardedReduction:
    """The sum in tree order: the same bits however the leaves are divided among ranks.

    Each rank adds up its own subtrees. Then each slice of the flat gradient has an owner, which
    gets the slice of every subtree from every rank, combines them in tree order, divides, and keeps
    the result.
    """

    _gathers = False

    def __init__(
        self,
        layout: FlatLayout,
        comm: Communicator,
        xp: Namespace = np,
        transport: str = "auto",
    ) -> None:
        self._layout = layout
        self._comm = comm
        self._xp = xp
        self._parts = choose_parts(layout, comm, xp, transport, gathers=self._gathers)
        self._buffers = self._parts.buffers
        self._held = HeldGradients(layout, xp)
        self._leaves: Sequence[range] = ()
        self._count = 0
        self._number = 0

    @property
    def transport(self) -> str:
        """See `Reduction.transport`."""
        return self._parts.told

    @property
    def bounds(self) -> Sequence[int] | None:
        """See `Reduction.bounds`."""
        return owner_bounds(self._layout.size, self._comm.size)

    def start(self, count: int, leaves: Sequence[range]) -> None:
        """See `Reduction.start`."""
        if count != self._count or leaves is not self._leaves:
            self._count, self._leaves = count, leaves
            self._division = divided(count, tuple(leaves))
        self._due = iter(self._division.additions[self._comm.rank])
        self._buffers = self._parts.buffers
        self._number = 0

    def open(self, in_place: bool = False) -> Gradients:
        """See `Reduction.open`."""
        self._additions = next(self._due)
        self._holds = bool(self._additions) and not in_place
        if self._holds:
            self._held.clear()
            return self._held
        if self._number == len(self._buffers):
            self._buffers.append(GradientBuffer(self._layout, self._xp))
        self._number += 1
        self._top.clear()
        return self._top

    def close(self) -> None:
        """See `Reduction.close`."""
        additions = self._additions
        if self._holds:
            self._top.add_held(self._held)
            self._held.clear()
            additions -= 1
        else:
            self._top.fill()
        for _ in range(additions):
            right = self._top
            self._number -= 1
            self._top.add(right)

    @property
    def _top(self) -> GradientBuffer:
        """The last of the sums that are held."""
        return self._buffers[self._number - 1]

    def used(self) -> Array:
        """See `Reduction.used`."""
        used = np.zeros(len(self._layout), np.bool_)
        for buffer in self._buffers[: self._number]:
            used |= buffer.written
        return used

    def load(self) -> Array | None:
        """See `Reduction.load`."""
        return self._parts.load(self._number)

    def finish(self, divisor: float, out: Array, loads: Array | None = None) -> None:
        """See `Reduction.finish`."""
        try:
            self._parts.prepare(self._division)
        except NotSharedError as error:
            self._parts = parts_in_messages(
                self._layout, self._comm, self._gathers, str(error), self._buffers, self._xp
            )
            self._parts.prepare(self._division)
        self._parts.finish(divisor, out, loads)

    def gather(self, array: Array) -> None:
        """See `Reduction.gather`."""
        self._parts.gather(array)


class TreeReduction(ShardedReduction):
    """As `ShardedReduction`, and then the slices are gathered on all ranks."""

    _gathers = True

    @property
    def bounds(self) -> None:
        """See `Reduction.bounds`."""
        return None


class AllReduce:
    """A running sum on each rank, then MPI's own all-reduce: no promise about bits.

    One buffer on a rank, whatever the number of micro-batches.
    """

    bounds = None
    transport = "mpi"

    def __init__(
        self,
        layout: FlatLayout,
        comm: Communicator,
        xp: Namespace = np,
        transport: str = "auto",  # noqa: ARG002 (it is the comparison with MPI)
    ) -> None:
        self._comm = comm
        self._xp = xp
        self._buffer = GradientBuffer(layout, xp)

    def start(self, count: int, leaves: Sequence[range]) -> None:  # noqa: ARG002 (the protocol's)
        """See `Reduction.start`."""
        self._buffer.clear()

    def open(self, in_place: bool = False) -> GradientBuffer:  # noqa: ARG002 (it always is)
        """See `Reduction.open`."""
        return self._buffer

    def close(self) -> None:
        """See `Reduction.close`."""

    def used(self) -> Array:
        """See `Reduction.used`."""
        return self._buffer.written.copy()

    def load(self) -> Array | None:
        """See `Reduction.load`."""
        return None

    def finish(self, divisor: float, out: Array, loads: Array | None = None) -> None:  # noqa: ARG002
        """See `Reduction.finish`."""
        self._buffer.fill()
        self._comm.all_reduce(self._buffer.flat)
        self._xp.divide(self._buffer.flat, divisor, out=out)

    def gather(self, array: Array) -> None:
        """See `Reduction.gather`."""


REDUCTIONS: dict[str, type[ShardedReduction] | type[AllReduce]] = {
    "tree": TreeReduction,
    "sharded": ShardedReduction,
    "allreduce": AllReduce,
}
"""The reductions by the names that a configuration gives them."""
