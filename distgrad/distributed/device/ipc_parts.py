"""Parts of a sum in memory of GPUs that the ranks of a machine see: nothing is sent."""

from collections.abc import Sequence
from functools import partial

from distgrad.backend import Array, array_namespace
from distgrad.backend.devices import namespace_of, synchronize
from distgrad.backend.windows import export_window, open_window
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.distributed.hosts import Hosts
from distgrad.distributed.parts import owner_slices
from distgrad.distributed.problems import shown_to_all
from distgrad.distributed.shared_buffers import SharedBuffers
from distgrad.distributed.shared_memory import NotSharedError
from distgrad.distributed.shared_slices import SharedSlices
from distgrad.distributed.tree import Division
from distgrad.distributed.tree_addition import tree_mean
from distgrad.errors import DeviceError
from distgrad.flat import FlatLayout

__all__ = ["IpcParts", "share_windows"]


class IpcParts:
    """`Parts` of which each rank adds up its slice, in one pass, and then reads the other sums.

    It goes as with `SlicedParts` on one machine. What a GPU was given to do is done before the
    ranks meet: before a rank sends its record, and when the sums are written.

    Args:
        layout: Where the gradient of each parameter lies.
        comm: The ranks, all of one machine; they meet when their GPUs are done. All of them make it
            together.
        device: Where this rank computes.
        gathers: Whether all ranks get the whole sum, and not their slices only.

    Raises:
        NotSharedError: On every rank, if one of them has no memory for it or cannot open a peer's.
    """

    told = "ipc"

    def __init__(
        self, layout: FlatLayout, comm: Communicator, device: str, gathers: bool = True
    ) -> None:
        self._comm = comm
        self._gathers = gathers
        self._own = owner_slices(layout.size, comm.size)[comm.rank]
        share = partial(share_windows, device)
        self._buffers = SharedBuffers(layout, comm, share)
        self._buffers.grow([1] * comm.size)
        self._shared = SharedSlices(layout, comm, Hosts([comm.host] * comm.size, comm.rank), share)
        self._parts: list[Array] = []
        self._division: Division | None = None

    @property
    def buffers(self) -> list[GradientBuffer]:
        """See `Parts.buffers`."""
        return self._buffers.own

    def load(self, number: int) -> None:  # noqa: ARG002 (the protocol's)
        """See `Parts.load`; with the record a rank says that its parts are there."""
        synchronize(self.buffers[0].flat)

    def prepare(self, division: Division) -> None:
        """See `Parts.prepare`."""
        if division is self._division:
            return
        self._parts = self._buffers.parts(division.subtrees, self._own)
        self._division = division

    def finish(self, divisor: float, out: Array, loads: Array | None) -> None:  # noqa: ARG002
        """See `Parts.finish`."""
        own, copy = (out[self._own], self._shared.own) if self._gathers else (out, None)
        if own.size:
            assert self._division is not None  # it was prepared
            xp, across = array_namespace(own), self._division.across
            tree_mean(xp, own, copy, *self._parts, additions=across, divisor=divisor)
        if self._gathers:
            self._shared.put_together(out)
        else:
            self._comm.barrier()

    def gather(self, array: Array) -> None:
        """See `Parts.gather`."""
        self._shared.gather(array)


def share_windows(device: str, comm: Communicator, sizes: Sequence[int]) -> dict[int, Array]:
    """Make memory on every rank's GPU that all ranks see; see `shared_memory.share`.

    Args:
        device: Where this rank computes.
        comm: The ranks, all of one machine.
        sizes: Bytes on each rank.
    """
    own, handle = namespace_of(device).empty(0, "uint8"), b""
    problem: DeviceError | None = None
    try:
        if sizes[comm.rank]:
            own, handle = export_window(device, sizes[comm.rank])
            own.fill(0)
            synchronize(own)
    except DeviceError as error:
        problem = error
    handles = shown_to_all(comm, handle, problem, NotSharedError)
    shared = {comm.rank: own}
    try:
        for rank, size in enumerate(sizes):
            if rank != comm.rank:
                shared[rank] = open_window(device, handles[rank], size) if size else own[:0]
    except DeviceError as error:
        problem = error
    shown_to_all(comm, None, problem, NotSharedError)
    return shared
