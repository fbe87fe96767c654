"""What the rest of distgrad asks of a communicator, and the one of a single process."""

import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Protocol

from distgrad.backend import Array, array_namespace
from distgrad.distributed.watch import Unwatched, Waits

__all__ = ["Communicator", "SingleProcess"]


class Communicator(Protocol):
    """Collective operations among ranks; every rank calls the same ones in the same order.

    Arrays are contiguous, and of one shape and data type on all ranks.
    """

    @property
    def rank(self) -> int:
        """This process's number, from 0 to size - 1."""

    @property
    def size(self) -> int:
        """The number of ranks."""

    @property
    def host(self) -> str:
        """The name of this rank's machine."""

    @property
    def library(self) -> str:
        """The name and version of what carries the messages."""

    @property
    def watch(self) -> Waits:
        """Watches over waits for other ranks that are none of the methods below."""

    def broadcast(self, array: Array, root: int = 0) -> None:
        """Overwrite ``array`` on every rank with that of rank ``root``."""

    def all_reduce(self, array: Array) -> None:
        """Overwrite ``array`` with its sum over the ranks.

        Every rank gets the same bits; the order of the sum is the library's own.
        """

    def all_gather(self, array: Array) -> Array:
        """Return the arrays of all ranks, stacked along a new first axis."""

    def all_gather_slices(self, array: Array, bounds: Sequence[int]) -> None:
        """Complete a 1-D array of which rank r holds the elements bounds[r] to bounds[r + 1]."""

    def all_gather_object(self, value: Any) -> list[Any]:
        """Return the picklable values of all ranks, by rank."""

    def exchange(
        self, outgoing: Mapping[int, Sequence[Array]], incoming: Mapping[int, Sequence[Array]]
    ) -> None:
        """Send arrays to other ranks and fill arrays from other ranks.

        ``outgoing[r]`` on this rank and ``incoming`` of this rank on rank r are of equal lengths,
        and the arrays match in size and data type. A rank does not send to itself.
        """

    def barrier(self) -> None:
        """Wait until every rank has come here."""

    def abort(self, status: int) -> NoReturn:
        """End the processes of all ranks at once with this exit status."""


class SingleProcess:
    """The communicator of a program that runs as one process: rank 0 of 1.

    Example:
        >>> comm = SingleProcess()
        >>> comm.rank, comm.size, comm.all_gather_object("a")
        (0, 1, ['a'])
    """

    rank = 0
    size = 1
    library = "none (one process)"
    watch: Waits = Unwatched()

    def __init__(self) -> None:
        self.host = socket.gethostname()

    def broadcast(self, array: Array, root: int = 0) -> None:  # noqa: ARG002 (the protocol's)
        """Leave the array as it is."""
        check_rank("broadcast from", root, self.size)

    def all_reduce(self, array: Array) -> None:
        """Leave the array as it is: the sum over one rank."""

    def all_gather(self, array: Array) -> Array:
        """Return a copy with a first axis of length 1."""
        return array_namespace(array).array(array)[None]

    def all_gather_slices(self, array: Array, bounds: Sequence[int]) -> None:
        """Leave the array as it is: this rank holds all of it."""

    def all_gather_object(self, value: Any) -> list[Any]:
        """Return the value alone."""
        return [value]

    def exchange(
        self, outgoing: Mapping[int, Sequence[Array]], incoming: Mapping[int, Sequence[Array]]
    ) -> None:
        """Do nothing: there is no other rank."""
        for peer in (*outgoing, *incoming):
            check_peer(peer, self.rank, self.size)

    def barrier(self) -> None:
        """Return at once."""

    def abort(self, status: int) -> NoReturn:
        """Leave the process with this exit status."""
        sys.exit(status)


def check_rank(what: str, rank: int, size: int) -> None:
    if not 0 <= rank < size:
        raise ValueError(f"{what} rank {rank}: the ranks are 0 to {size - 1}")


def check_peer(peer: int, rank: int, size: int) -> None:
    check_rank("exchange with", peer, size)
    if peer == rank:
        raise ValueError(f"exchange with rank {peer}: that is this rank itself")
