"""`DeviceCommunicator`: a communicator that takes arrays of a GPU, too."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from distgrad.backend import Array, device_name
from distgrad.backend.devices import synchronize_current
from distgrad.distributed.communicator import Communicator, SingleProcess
from distgrad.distributed.device.choice import TRANSPORTS, choose_transport
from distgrad.distributed.device.transport import Transport
from distgrad.distributed.watch import Waits
from distgrad.errors import UsageError

__all__ = ["DeviceCommunicator", "with_arrays_of"]


class DeviceCommunicator:
    """The ranks of a communicator; arrays of GPUs travel another way than those of NumPy.

    Args:
        comm: Takes arrays of NumPy.
        transport: Takes those of this rank's GPU.
        told: What is to be said of the transport.
    """

    def __init__(self, comm: Communicator, transport: Transport, told: str = "") -> None:
        self._comm = comm
        self.transport = transport
        self.rank = comm.rank
        self.size = comm.size
        self.host = comm.host
        self.library = comm.library
        self.told = told

    @property
    def watch(self) -> Waits:
        """See `Communicator.watch`."""
        return self._comm.watch

    def broadcast(self, array: Array, root: int = 0) -> None:
        """See `Communicator.broadcast`."""
        self._way_of(array).broadcast(array, root)

    def all_reduce(self, array: Array) -> None:
        """See `Communicator.all_reduce`."""
        self._way_of(array).all_reduce(array)

    def all_gather(self, array: Array) -> Array:
        """See `Communicator.all_gather`."""
        return self._way_of(array).all_gather(array)

    def all_gather_slices(self, array: Array, bounds: Sequence[int]) -> None:
        """See `Communicator.all_gather_slices`."""
        self._way_of(array).all_gather_slices(array, bounds)

    def exchange(
        self, outgoing: Mapping[int, Sequence[Array]], incoming: Mapping[int, Sequence[Array]]
    ) -> None:
        """See `Communicator.exchange`; every rank calls it, and all arrays are of the GPU."""
        self.transport.exchange(outgoing, incoming)

    def all_gather_object(self, value: Any) -> list[Any]:
        """See `Communicator.all_gather_object`."""
        return self._comm.all_gather_object(value)

    def barrier(self) -> None:
        """See `Communicator.barrier`; this rank's GPU has done before what it was given."""
        synchronize_current()
        self._comm.barrier()

    def abort(self, status: int) -> NoReturn:
        """See `Communicator.abort`."""
        self._comm.abort(status)

    def _way_of(self, array: Array) -> Communicator | Transport:
        return self._comm if device_name(array) == "cpu" else self.transport


def with_arrays_of(comm: Communicator, array: Array, wanted: str = "auto") -> Communicator:
    """Return a communicator for arrays that lie where one lies; all ranks call it.

    Args:
        comm: The ranks.
        array: Of NumPy, or of this rank's GPU.
        wanted: What carries arrays of GPUs; see `choose_transport`.

    Raises:
        UsageError: On every rank, if that does not work on one of them.
    """
    device = device_name(array)
    if device == "cpu":
        if comm.size > 1 and wanted in TRANSPORTS:
            raise UsageError(
                f'distributed.transport = "{wanted}" does not work: the model is on the CPU, and '
                'this carries arrays of GPUs; use "shared", "mpi" or "auto"'
            )
        return comm
    if comm.size == 1:
        return DeviceCommunicator(comm, SingleProcess(), "none: there is one rank")
    choice = choose_transport(comm, device, wanted)
    told = f"{choice.name} ({choice.reason})" if choice.reason else choice.name
    return DeviceCommunicator(comm, choice.transport, told)
