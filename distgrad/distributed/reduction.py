"""The reductions: how the gradients of all micro-batches of a step become one sum on every rank.

A reduction is used like this, on every rank::

    reduction.start(count, leaves_of_each_rank)
    for leaf in leaves_of_each_rank[comm.rank]:
        buffer = reduction.open()      # contributions are written there
        reduction.close()
    reduction.finish(divisor, kept)    # kept = sum over all leaves / divisor

What is kept is the whole flat gradient or, where the reduction has bounds, this rank's slice of it.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from distgrad.backend import Array
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.distributed.tree import TreeSum, subtrees
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
"""Elements that are exchanged whole and not slice by slice."""


class Reduction(Protocol):
    """Sums the gradients of a step over the micro-batches of all ranks."""

    @property
    def bounds(self) -> Sequence[int] | None:
        """Rank r keeps elements bounds[r] to bounds[r + 1] of the result; None: all keep all."""

    def start(self, count: int, leaves: Sequence[range]) -> None:
        """Begin a step of ``count`` leaves, of which rank r contributes ``leaves[r]``."""

    def open(self) -> GradientBuffer:
        """Return the buffer to which the next leaf's gradients are to be written."""

    def close(self) -> None:
        """Take the buffer opened last as complete."""

    def used(self) -> Array:
        """Return for each parameter whether a leaf of this rank wrote a gradient."""

    def finish(self, divisor: float, out: Array) -> None:
        """Write what is kept of the sum over all leaves, divided by ``divisor``, to ``out``."""


class ShardedReduction:
    """The sum in tree order: the same bits however the leaves are divided among ranks.

    Each rank adds up its own subtrees. Then each slice of the flat gradient has an owner, which
    gets the slice of every subtree from every rank, combines them in tree order, divides, and keeps
    the result. With ranges aligned to powers of two this moves half the bytes of an all-reduce.
    """

    def __init__(self, layout: FlatLayout, comm: Communicator) -> None:
        self._layout = layout
        self._comm = comm
        self._bounds = owner_bounds(layout.size, comm.size)
        self._own = slice(self._bounds[comm.rank], self._bounds[comm.rank + 1])
        self._free: list[GradientBuffer] = []

    @property
    def bounds(self) -> Sequence[int] | None:
        """See `Reduction.bounds`."""
        return self._bounds

    def start(self, count: int, leaves: Sequence[range]) -> None:
        """See `Reduction.start`."""
        self._count = count
        self._leaves = leaves
        self._next = leaves[self._comm.rank].start
        self._sum: TreeSum[GradientBuffer] = TreeSum(count, self._add)

    def open(self) -> GradientBuffer:
        """See `Reduction.open`."""
        self._opened = self._free.pop() if self._free else GradientBuffer(self._layout)
        self._opened.clear()
        return self._opened

    def close(self) -> None:
        """See `Reduction.close`."""
        self._opened.fill()
        self._sum.push(range(self._next, self._next + 1), self._opened)
        self._next += 1

    def used(self) -> Array:
        """See `Reduction.used`."""
        parts = [buffer.written for _, buffer in self._sum.parts]
        return np.logical_or.reduce(parts) if parts else np.zeros(len(self._layout.segments), bool)

    def finish(self, divisor: float, out: Array) -> None:
        """See `Reduction.finish`."""
        mine = [(leaves, buffer.flat) for leaves, buffer in self._sum.parts]
        parts = self._exchange_slices(mine)
        if self._own.start < self._own.stop:
            np.divide(_combined(parts, self._count), divisor, out=out)
        self._free += [buffer for _, buffer in self._sum.parts]

    def _exchange_slices(self, mine: list[tuple[range, Array]]) -> list[tuple[range, Array]]:
        """Send every owner its slice of this rank's parts; return all parts of the own slice."""
        comm, bounds, own = self._comm, self._bounds, self._own
        others = [rank for rank in range(comm.size) if rank != comm.rank]
        arriving = {
            rank: [
                (part, np.empty(own.stop - own.start, self._layout.dtype))
                for part in subtrees(self._leaves[rank], self._count)
            ]
            for rank in others
            if own.start < own.stop
        }
        comm.exchange(
            {
                rank: [flat[bounds[rank] : bounds[rank + 1]] for _, flat in mine]
                for rank in others
                if bounds[rank] < bounds[rank + 1]
            },
            {rank: [array for _, array in parts] for rank, parts in arriving.items()},
        )
        arriving[comm.rank] = [(part, flat[own]) for part, flat in mine]
        return [part for rank in sorted(arriving) for part in arriving[rank]]

    def _add(self, left: GradientBuffer, right: GradientBuffer) -> GradientBuffer:
        left.add(right)
        self._free.append(right)
        return left


class TreeReduction(ShardedReduction):
    """As `ShardedReduction`, and then the slices are gathered on all ranks.

    With ranges aligned to powers of two this moves as many bytes as an all-reduce does. Where all
    parts of all ranks are few bytes, every rank gets them and combines them by itself: one message
    is quicker than two then.
    """

    @property
    def bounds(self) -> None:
        """See `Reduction.bounds`."""
        return None

    def finish(self, divisor: float, out: Array) -> None:
        """See `Reduction.finish`."""
        parts = [subtrees(leaves, self._count) for leaves in self._leaves]
        most = max(map(len, parts))
        if self._comm.size * most * self._layout.size <= _FEW:
            np.divide(_combined(self._gathered(parts, most), self._count), divisor, out=out)
            self._free += [buffer for _, buffer in self._sum.parts]
        else:
            super().finish(divisor, out[self._own])
            self._comm.all_gather_slices(out, self._bounds)

    def _gathered(self, parts: Sequence[Sequence[range]], most: int) -> list[tuple[range, Array]]:
        """Return the parts of all ranks, whole; ``most`` is what the rank with most of them has."""
        own = np.zeros((most, self._layout.size), self._layout.dtype)
        for row, (_, buffer) in zip(own, self._sum.parts, strict=False):
            row[:] = buffer.flat
        rows = self._comm.all_gather(own)
        return [
            (leaves, row)
            for of_rank, of_its in zip(parts, rows, strict=True)
            for leaves, row in zip(of_rank, of_its, strict=False)
        ]


def _combined(parts: list[tuple[range, Array]], count: int) -> Array:
    """Add up parts, given in order, along the tree; the arrays are used as scratch."""
    total: TreeSum[Array] = TreeSum(count, lambda left, right: np.add(left, right, out=left))
    for leaves, array in parts:
        total.push(leaves, array)
    ((_, result),) = total.parts
    return result


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

    def __init__(self, layout: FlatLayout, comm: Communicator) -> None:
        self._comm = comm
        self._buffer = GradientBuffer(layout)

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

    def finish(self, divisor: float, out: Array) -> None:
        """See `Reduction.finish`."""
        self._buffer.fill()
        self._comm.all_reduce(self._buffer.flat)
        np.divide(self._buffer.flat, divisor, out=out)


REDUCTIONS: dict[str, type[ShardedReduction] | type[AllReduce]] = {
    "tree": TreeReduction,
    "sharded": ShardedReduction,
    "allreduce": AllReduce,
}
"""The reductions by the names that a configuration gives them."""
