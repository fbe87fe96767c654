"""Parts of few gradients in memory that all ranks see: each of them adds up all of them."""

from distgrad.backend import Array
from distgrad.distributed.adding import Addition
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.distributed.parts import owner_bounds, owner_slices
from distgrad.distributed.shared_buffers import SharedBuffers
from distgrad.distributed.tree import Division
from distgrad.flat import FlatLayout

__all__ = ["FewParts"]


class FewParts:
    """`Parts` of which each rank reads all that it needs, and adds them up by itself.

    The ranks do not meet beside their records. When the records of a step are there, all parts of
    it are complete. A rank may read them until it sends its next record, so they are left as they
    are until the records of the next step are there: the steps use two sets of buffers in turn.

    Args:
        layout: Where the gradient of each parameter lies.
        comm: The ranks, all of one machine. All of them make it together.
        gathers: Whether all ranks get the whole sum, and not their slices only.

    Raises:
        NotSharedError: On every rank, if the ranks cannot see each other's memory.
    """

    told = "shared"

    def __init__(self, layout: FlatLayout, comm: Communicator, gathers: bool) -> None:
        self._comm = comm
        self._bounds = owner_bounds(layout.size, comm.size)
        own = owner_slices(layout.size, comm.size)[comm.rank]
        self._kept = slice(None) if gathers else own
        self._sets = [_Set(layout, comm), _Set(layout, comm)]

    @property
    def buffers(self) -> list[GradientBuffer]:
        """See `Parts.buffers`."""
        return self._sets[0].buffers.own

    def load(self, number: int) -> None:
        """See `Parts.load`."""

    def prepare(self, division: Division) -> None:
        """See `Parts.prepare`."""
        self._sets[0].prepare(division, self._kept)

    def finish(self, divisor: float, out: Array, loads: Array | None) -> None:  # noqa: ARG002
        """See `Parts.finish`."""
        try:
            self._sets[0].addition.run([out], divisor)
        finally:  # whatever becomes of the step here, the others go on to the next one
            self._sets.reverse()

    def gather(self, array: Array) -> None:
        """See `Parts.gather`."""
        self._comm.all_gather_slices(array, self._bounds)


class _Set:
    """The buffers of every second step, and how they are added up."""

    addition: Addition

    def __init__(self, layout: FlatLayout, comm: Communicator) -> None:
        self.buffers = SharedBuffers(layout, comm)
        self.buffers.grow([1] * comm.size)
        self._division: Division | None = None

    def prepare(self, division: Division, kept: slice) -> None:
        if division is self._division:
            return
        parts = self.buffers.parts(division.subtrees, kept)
        self.addition = Addition(parts, division.across)
        self._division = division
