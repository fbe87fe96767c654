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

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Protocol

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.gradient_buffer import GradientBuffer, Gradients, HeldGradients
from distgrad.distributed.tree import divided
from distgrad.flat import BLOCK, FlatLayout

__all__ = [
    "REDUCTIONS",
    "AllReduce",
    "Reduction",
    "ShardedReduction",
    "TreeReduction",
    "owner_bounds",
]

_FEW = 4 * BLOCK
"""Elements, of all ranks together, that are sent whole and not slice by slice."""


class Reduction(Protocol):
    """Sums the gradients of a step over the micro-batches of all ranks."""

    @property
    def bounds(self) -> Sequence[int] | None:
        """Rank r keeps elements bounds[r] to bounds[r + 1] of the result; None: all keep all."""

    def start(self, count: int, leaves: Sequence[range]) -> None:
        """Begin a step of ``count`` leaves, of which rank r contributes ``leaves[r]``."""

    def open(self) -> Gradients:
        """Return what the next leaf's gradients are to be written to."""

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


class ShardedReduction:
    """The sum in tree order: the same bits however the leaves are divided among ranks.

    Each rank adds up its own subtrees. Then each slice of the flat gradient has an owner, which
    gets the slice of every subtree from every rank, combines them in tree order, divides, and keeps
    the result. With ranges aligned to powers of two this moves half the bytes of an all-reduce.
    """

    def __init__(self, layout: FlatLayout, comm: Communicator, xp: Namespace = np) -> None:
        self._layout = layout
        self._comm = comm
        self._xp = xp
        self._bounds = owner_bounds(layout.size, comm.size)
        self._own = slice(self._bounds[comm.rank], self._bounds[comm.rank + 1])
        self._leaves: Sequence[range] = ()
        self._count = 0
        self._sums: list[GradientBuffer] = []
        self._free: list[GradientBuffer] = []
        self._held = HeldGradients(layout, xp)

    @property
    def bounds(self) -> Sequence[int] | None:
        """See `Reduction.bounds`."""
        return self._bounds

    def start(self, count: int, leaves: Sequence[range]) -> None:
        """See `Reduction.start`."""
        if count != self._count or leaves is not self._leaves:
            self._count, self._leaves = count, leaves
            self._division = divided(count, tuple(leaves))
        self._due = iter(self._division.additions[self._comm.rank])
        self._free += self._sums
        self._sums = []

    def open(self) -> Gradients:
        """See `Reduction.open`."""
        self._additions = next(self._due)
        if self._additions:
            self._held.clear()
            return self._held
        self._sums.append(self._free.pop() if self._free else self._new_buffer())
        self._sums[-1].clear()
        return self._sums[-1]

    def close(self) -> None:
        """See `Reduction.close`."""
        if not self._additions:
            self._sums[-1].fill()
            return
        self._sums[-1].add_held(self._held)
        self._held.clear()
        for _ in range(self._additions - 1):
            right = self._sums.pop()
            self._sums[-1].add(right)
            self._free.append(right)

    def _new_buffer(self) -> GradientBuffer:
        return GradientBuffer(self._layout, self._xp)

    def used(self) -> Array:
        """See `Reduction.used`."""
        used = np.zeros(len(self._layout), np.bool_)
        for buffer in self._sums:
            used |= buffer.written
        return used

    def load(self) -> Array | None:
        """See `Reduction.load`."""
        return None

    def finish(self, divisor: float, out: Array, loads: Array | None = None) -> None:  # noqa: ARG002
        """See `Reduction.finish`."""
        parts = self._exchange_slices([buffer.flat for buffer in self._sums])
        if self._own.start < self._own.stop:
            self._xp.divide(self._combined(parts), divisor, out=out)

    def _exchange_slices(self, mine: Sequence[Array]) -> list[Array]:
        """Send every owner its slice of this rank's parts; return all parts of the own slice."""
        comm, bounds, own = self._comm, self._bounds, self._own
        others = [rank for rank in range(comm.size) if rank != comm.rank]
        arriving = {
            rank: [
                self._xp.empty(own.stop - own.start, self._layout.dtype)
                for _ in range(self._division.subtrees[rank])
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

    def _combined(self, parts: Iterable[Array]) -> Array:
        """Add up the parts of all ranks, in order, along the tree; they are used as scratch."""
        sums: list[Array] = []
        for part, additions in zip(parts, self._division.across, strict=True):
            sums.append(part)
            for _ in range(additions):
                right = sums.pop()
                sums[-1] += right
        (total,) = sums
        return total


class TreeReduction(ShardedReduction):
    """As `ShardedReduction`, and then the slices are gathered on all ranks.

    With ranges aligned to powers of two this moves as many bytes as an all-reduce does. Where the
    gradients of all ranks are few bytes, every rank gets them whole and combines them by itself:
    the first part travels with the record, so that a step with aligned ranges has one message. The
    record is on the host: gradients on other devices go on their own.
    """

    def __init__(self, layout: FlatLayout, comm: Communicator, xp: Namespace = np) -> None:
        super().__init__(layout, comm, xp)
        is_sent_whole = xp is np and comm.size > 1 and comm.size * layout.size <= _FEW
        self._empty_load = layout.zeros() if is_sent_whole else None

    @property
    def bounds(self) -> None:
        """See `Reduction.bounds`."""
        return None

    def load(self) -> Array | None:
        """See `Reduction.load`."""
        has_part = self._empty_load is not None and self._sums
        return self._sums[0].flat if has_part else self._empty_load

    def finish(self, divisor: float, out: Array, loads: Array | None = None) -> None:
        """See `Reduction.finish`."""
        if loads is not None:
            np.divide(self._combined(self._parts_of_all(loads)), divisor, out=out)
        else:
            super().finish(divisor, out[self._own])
            self._comm.all_gather_slices(out, self._bounds)

    def _parts_of_all(self, loads: Array) -> Iterable[Array]:
        """Return the parts of all ranks, whole, of which the first ones have come."""
        numbers = self._division.subtrees
        more = max(numbers) - 1
        if more < 1:
            return [load for load, number in zip(loads, numbers, strict=True) if number]
        own = np.zeros((more, self._layout.size), self._layout.dtype)
        for row, buffer in zip(own, self._sums[1:], strict=False):
            row[:] = buffer.flat
        of_ranks = zip(loads, self._comm.all_gather(own), numbers, strict=True)
        return chain.from_iterable([load, *rows][:number] for load, rows, number in of_ranks)


def owner_bounds(size: int, ranks: int) -> list[int]:
    """Divide a flat array into one slice a rank: rank r owns bounds[r] to bounds[r + 1].

    Slices begin at multiples of 65,536 elements; of a small array the last ranks own nothing.

    Example:
        >>> owner_bounds(200_000, 2)
        [0, 131072, 200000]
    """
    blocks = -(-size // BLOCK)
    return [min(size, -(-blocks * rank // ranks) * BLOCK) for rank in range(ranks + 1)]


class AllReduce:
    """A running sum on each rank, then MPI's own all-reduce: no promise about bits.

    One buffer on a rank, whatever the number of micro-batches.
    """

    bounds = None

    def __init__(self, layout: FlatLayout, comm: Communicator, xp: Namespace = np) -> None:
        self._comm = comm
        self._xp = xp
        self._buffer = GradientBuffer(layout, xp)

    def start(self, count: int, leaves: Sequence[range]) -> None:  # noqa: ARG002 (the protocol's)
        """See `Reduction.start`."""
        self._buffer.clear()

    def open(self) -> GradientBuffer:
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


REDUCTIONS: dict[str, type[ShardedReduction] | type[AllReduce]] = {
    "tree": TreeReduction,
    "sharded": ShardedReduction,
    "allreduce": AllReduce,
}
"""The reductions by the names that a configuration gives them."""
