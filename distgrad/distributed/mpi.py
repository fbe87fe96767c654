"""The communicator over MPI. No other file of distgrad names mpi4py."""

import atexit
import socket
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NoReturn

import numpy as np
from mpi4py import MPI

from distgrad.backend import Array
from distgrad.distributed.communicator import check_peer, check_rank
from distgrad.distributed.launch_environment import launched_size
from distgrad.distributed.watch import Unwatched, Waits, Watch
from distgrad.errors import DistgradError, RankError, UsageError

__all__ = ["MpiCommunicator"]

_FORWARDING_SECONDS = 0.3
"""An aborted job loses what its ranks have printed and mpirun has not yet passed on."""


class MpiCommunicator:
    """The ranks of an MPI communicator.

    Args:
        comm: An mpi4py communicator; it is duplicated, so that messages of the caller's cannot
            meet those of distgrad. Default: all ranks of the job.
        timeout: Seconds that a rank may wait for others; see `distgrad.distributed.watch`.

    Raises:
        UsageError: If a launcher started several processes but MPI knows of this one alone: the
            launcher belongs to another MPI than the library that mpi4py loads.
    """

    def __init__(self, comm: "MPI.Intracomm | None", timeout: float) -> None:
        self._comm = (MPI.COMM_WORLD if comm is None else comm).Dup()
        self.rank: int = self._comm.Get_rank()
        self.size: int = self._comm.Get_size()
        self.host = socket.gethostname()
        self.library = _library_name()
        launched = launched_size()
        if comm is None and launched is not None and launched != self.size:
            raise UsageError(
                f"the launcher started {launched} processes, but each of them is rank {self.rank} "
                f"of {self.size}: mpirun belongs to another MPI than the library that mpi4py "
                f"loads ({self.library}); start the job with that library's mpirun, or with "
                "`distgrad launch`, which finds it"
            )
        self.watch: Waits = Unwatched()
        if self.size > 1:
            _end_all_ranks_on_uncaught_exception(self)
            self._watch_over(timeout)

    def _watch_over(self, timeout: float) -> None:
        """Name what a rank waits for; without threads in MPI it waits in silence."""
        if MPI.Query_thread() < MPI.THREAD_MULTIPLE:
            return
        apart = self._comm.Dup()
        watch = Watch(self.rank, self.size, self.host, _Mailbox(apart), self.abort, timeout)
        self.watch = watch

        def leave() -> None:
            """Stay to answer until all ranks have come to their end."""
            if not MPI.Is_finalized():
                watch.end()
                apart.Barrier()
            watch.close()

        atexit.register(leave)

    @property
    def memory_kinds(self) -> str:
        """What memory MPI says that it takes beside the machine's, such as "cuda"; maybe nothing.

        MPI: A Message-Passing Interface Standard 4.1, section 12.4.3.
        """
        info = self._comm.Get_info()
        try:
            return info.Get("mpi_memory_alloc_kinds") or ""
        finally:
            info.Free()

    def broadcast(self, array: Array, root: int = 0) -> None:
        """See `Communicator.broadcast`."""
        check_rank("broadcast from", root, self.size)
        with self.watch:
            self._comm.Bcast(array, root)

    def all_reduce(self, array: Array) -> None:
        """See `Communicator.all_reduce`."""
        with self.watch:
            self._comm.Allreduce(MPI.IN_PLACE, array)

    def all_gather(self, array: Array) -> Array:
        """See `Communicator.all_gather`."""
        result = np.empty((self.size, *array.shape), array.dtype)
        with self.watch:
            self._comm.Allgather(array, result)
        return result

    def all_gather_slices(self, array: Array, bounds: Sequence[int]) -> None:
        """See `Communicator.all_gather_slices`."""
        counts = np.diff(bounds)
        with self.watch:
            self._comm.Allgatherv(MPI.IN_PLACE, [array, (counts, bounds[:-1])])

    def all_gather_object(self, value: Any) -> list[Any]:
        """See `Communicator.all_gather_object`."""
        with self.watch:
            return self._comm.allgather(value)

    def exchange(
        self, outgoing: Mapping[int, Sequence[Array]], incoming: Mapping[int, Sequence[Array]]
    ) -> None:
        """See `Communicator.exchange`."""
        for peer in (*outgoing, *incoming):
            check_peer(peer, self.rank, self.size)
        requests = [
            self._comm.Irecv(array, peer, tag)
            for peer, arrays in incoming.items()
            for tag, array in enumerate(arrays)
        ]
        requests += [
            self._comm.Isend(array, peer, tag)
            for peer, arrays in outgoing.items()
            for tag, array in enumerate(arrays)
        ]
        with self.watch:
            MPI.Request.Waitall(requests)

    def barrier(self) -> None:
        """See `Communicator.barrier`."""
        with self.watch:
            self._comm.Barrier()

    def abort(self, status: int) -> NoReturn:
        """See `Communicator.abort`."""
        sys.stdout.flush()
        sys.stderr.flush()
        time.sleep(_FORWARDING_SECONDS)
        MPI.COMM_WORLD.Abort(status)
        raise AssertionError("MPI_Abort returned")


class _Mailbox:
    """Messages between the watches, over a communicator of their own."""

    def __init__(self, comm: "MPI.Intracomm") -> None:
        self._comm = comm
        self._sent: list[tuple[MPI.Request, bytes]] = []

    def send(self, rank: int, message: bytes) -> None:
        """See `Mailbox.send`."""
        self._sent = [(request, kept) for request, kept in self._sent if not request.Test()]
        self._sent.append((self._comm.Isend(message, rank), message))

    def receive(self) -> Iterator[tuple[int, bytes]]:
        """See `Mailbox.receive`."""
        status = MPI.Status()
        while self._comm.Iprobe(status=status):
            message = bytearray(status.Get_count(MPI.BYTE))
            self._comm.Recv(message, status.source)
            yield status.source, bytes(message)


def _library_name() -> str:
    first_line = MPI.Get_library_version().rstrip("\x00").splitlines()[0]
    return " ".join(first_line.split()).rstrip(", ")


def _end_all_ranks_on_uncaught_exception(comm: MpiCommunicator) -> None:
    """Make an uncaught exception end the whole job.

    Without this the other ranks would wait for the dead one for ever, in Open MPI and in MPICH.
    """
    if getattr(sys.excepthook, "ends_all_ranks", False):
        return

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        time.sleep(_seconds_before_report(error, comm.rank))
        lines = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(f"rank {comm.rank} of {comm.size} on {comm.host} failed:\n{lines}")
        comm.abort(getattr(error, "exit_status", 1))

    hook.ends_all_ranks = True  # type: ignore[attr-defined]
    sys.excepthook = hook


def _seconds_before_report(error: BaseException, rank: int) -> float:
    """How long this rank leaves the report to another, which ends the job by it.

    So what several ranks raise is told once. No rank can know that another reports: it may wait
    for a while only.
    """
    if isinstance(error, RankError) and error.__cause__ is not None:
        return 0.0  # it happened here, and the others only know of it
    if isinstance(error, DistgradError):
        return 3.0 if rank or isinstance(error, RankError) else 0.0  # raised on all ranks, mostly
    return 1.5 if rank else 0.0
