"""Arrays of GPUs that ranks of one machine read from each other's memory.

Each rank lets the others see one buffer in the memory of its GPU. What it sends it copies there;
the others copy it from there. Before and behind it the ranks meet, when their GPUs are done.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from distgrad.backend import Array, array_namespace
from distgrad.backend.devices import synchronize
from distgrad.backend.windows import export_window, open_window
from distgrad.distributed.communicator import Communicator, check_peer, check_rank
from distgrad.distributed.device.pieces import cut, first, pieces, rows
from distgrad.errors import DeviceError

__all__ = ["Ipc"]

_BYTES = 64 * 2**20
"""Of each rank's buffer."""


class Ipc:
    """A `Transport` through buffers that the ranks of a machine see.

    Args:
        comm: The ranks, all of one machine. All of them make it together.
        device: Where this rank computes.
        nbytes: Of its buffer.

    Attributes:
        device: Where this rank computes.

    Raises:
        DeviceError: If this rank cannot show its buffer, or see the others'.
    """

    def __init__(self, comm: Communicator, device: str, nbytes: int = _BYTES) -> None:
        self.device = device
        self._comm = comm
        self._bytes = nbytes
        handle, problem = None, None
        try:
            self._own, handle = export_window(device, nbytes)
        except DeviceError as error:  # it is told before it is raised: the others wait for a handle
            problem = error
        handles = comm.all_gather_object(handle)
        if None in handles:
            raise problem or DeviceError("another rank cannot show its memory")
        self._windows = [
            self._own if rank == comm.rank else open_window(device, handle, nbytes)
            for rank, handle in enumerate(handles)
        ]

    def broadcast(self, array: Array, root: int) -> None:
        """See `Communicator.broadcast`."""
        check_rank("broadcast from", root, self._comm.size)
        for piece in pieces(array, self._bytes):
            if root == self._comm.rank:
                first(self._own, piece)[...] = piece
            self._meet()
            if root != self._comm.rank:
                piece[...] = first(self._windows[root], piece)
            self._meet()

    def all_reduce(self, array: Array) -> None:
        """See `Communicator.all_reduce`; the sum is made in the order of the ranks."""
        for piece in pieces(array, self._bytes):
            first(self._own, piece)[...] = piece
            self._meet()
            piece[...] = first(self._windows[0], piece)
            for window in self._windows[1:]:
                piece += first(window, piece)
            self._meet()

    def all_gather(self, array: Array) -> Array:
        """See `Communicator.all_gather`."""
        result = array_namespace(array).empty((self._comm.size, *array.shape), array.dtype)
        of_ranks = rows(result)
        of_ranks[self._comm.rank][...] = array.reshape(-1)
        self._gather(of_ranks)
        return result

    def all_gather_slices(self, array: Array, bounds: Sequence[int]) -> None:
        """See `Communicator.all_gather_slices`."""
        self._gather([array[start:stop] for start, stop in pairwise(bounds)])

    def exchange(
        self, outgoing: Mapping[int, Sequence[Array]], incoming: Mapping[int, Sequence[Array]]
    ) -> None:
        """See `Communicator.exchange`; every rank calls it."""
        comm = self._comm
        for peer in (*outgoing, *incoming):
            check_peer(peer, comm.rank, comm.size)
        part = self._bytes // comm.size // 8 * 8  # of a buffer, for each rank that reads it
        leaving, coming = cut(outgoing, part), cut(incoming, part)
        most = max(map(len, (*leaving.values(), *coming.values())), default=0)
        for turn in range(max(comm.all_gather_object(most))):
            for peer, of in leaving.items():
                if turn < len(of):
                    first(self._own[peer * part :], of[turn])[...] = of[turn]
            self._meet()
            for peer, of in coming.items():
                if turn < len(of):
                    of[turn][...] = first(self._windows[peer][comm.rank * part :], of[turn])
            self._meet()

    def _gather(self, of_ranks: Sequence[Array]) -> None:
        """Give all ranks the arrays that one of them each has."""
        comm = self._comm
        in_pieces = [pieces(array, self._bytes) for array in of_ranks]
        for turn in range(max(map(len, in_pieces))):
            for rank, of in enumerate(in_pieces):
                if rank == comm.rank and turn < len(of):
                    first(self._own, of[turn])[...] = of[turn]
            self._meet()
            for rank, of in enumerate(in_pieces):
                if rank != comm.rank and turn < len(of):
                    of[turn][...] = first(self._windows[rank], of[turn])
            self._meet()

    def _meet(self) -> None:
        """Wait until the GPUs of all ranks have done what they were given."""
        synchronize(self._own)
        self._comm.barrier()
