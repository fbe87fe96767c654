"""Arrays of GPUs that NCCL carries, where each rank has a GPU of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise

from distgrad.backend import Array, array_namespace
from distgrad.backend.devices import namespace_of
from distgrad.backend.nccl import NcclRanks, nccl_identity
from distgrad.distributed.communicator import Communicator, check_peer, check_rank
from distgrad.errors import DeviceError

__all__ = ["Nccl"]


class Nccl:
    """A `Transport` over NCCL. Its operations return when they are done, or tell who is not there.

    Args:
        comm: The ranks; all of them make it together.
        device: Where this rank computes, and no other rank.

    Raises:
        DeviceError: If NCCL refuses.
    """

    def __init__(self, comm: Communicator, device: str) -> None:
        self._comm = comm
        xp = namespace_of(device)
        made, problem = None, None
        try:
            made = None if comm.rank else nccl_identity(xp)
        except DeviceError as error:  # it is told before it is raised: the others wait
            problem = error
        identity = comm.all_gather_object(made)[0]
        if identity is None:
            raise problem or DeviceError("NCCL does not start on rank 0")
        with comm.watch:
            self._ranks = NcclRanks(xp, comm.size, comm.rank, identity)

    def broadcast(self, array: Array, root: int) -> None:
        """See `Communicator.broadcast`."""
        check_rank("broadcast from", root, self._comm.size)
        with self._watched():
            if array.size:
                self._ranks.broadcast(array, root)

    def all_reduce(self, array: Array) -> None:
        """See `Communicator.all_reduce`."""
        with self._watched():
            if array.size:
                self._ranks.all_reduce(array)

    def all_gather(self, array: Array) -> Array:
        """See `Communicator.all_gather`."""
        ranks = self._comm.size
        result = array_namespace(array).empty((ranks, *array.shape), array.dtype)
        result[self._comm.rank] = array
        bounds = [array.size * rank for rank in range(ranks + 1)]
        self.all_gather_slices(result.reshape(-1), bounds)
        return result

    def all_gather_slices(self, array: Array, bounds: Sequence[int]) -> None:
        """See `Communicator.all_gather_slices`."""
        slices = [array[start:stop] for start, stop in pairwise(bounds)]
        others = [rank for rank in range(self._comm.size) if rank != self._comm.rank]
        self.exchange(
            {rank: [slices[self._comm.rank]] for rank in others},
            {rank: [slices[rank]] for rank in others},
        )

    def exchange(
        self, outgoing: Mapping[int, Sequence[Array]], incoming: Mapping[int, Sequence[Array]]
    ) -> None:
        """See `Communicator.exchange`."""
        for peer in (*outgoing, *incoming):
            check_peer(peer, self._comm.rank, self._comm.size)
        with self._watched():
            self._ranks.exchange(_not_empty(outgoing), _not_empty(incoming))

    def abort(self) -> None:
        """End what is on its way, on this rank; it carries nothing from then on."""
        self._ranks.abort()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Wait for what is done in a block, and say whom for; not for what was to be done before.

        NCCL's calls themselves may wait, too, while two ranks talk for the first time.
        """
        self._ranks.settle()
        watch = self._comm.watch
        with watch:
            yield
            self._ranks.wait(lambda: watch.over)


def _not_empty(messages: Mapping[int, Sequence[Array]]) -> dict[int, list[Array]]:
    return {peer: [array for array in arrays if array.size] for peer, arrays in messages.items()}
