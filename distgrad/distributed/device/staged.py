"""Arrays of GPUs that travel through the machine's memory: with any MPI, on any network.

An array is cut into pieces. While MPI carries one, the next is on its way from the GPU and the one
before on its way to it: each has a place in a ring of buffers of pinned memory.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from distgrad.backend import Array, array_namespace
from distgrad.backend.copies import Copies, Done
from distgrad.distributed.communicator import Communicator, check_peer, check_rank
from distgrad.distributed.device.pieces import cut, first, pieces, rows

__all__ = ["Staged"]

_PLACES = 3
_BYTES = 8 * 2**20
"""Of a place in the ring."""

Copy = tuple[Array, Array]
"""From where, and where to."""


class _Passage(NamedTuple):
    """One turn of the ring: what is copied before the message, the message, and what behind it."""

    down: list[Copy]
    message: Callable[[], None]
    up: list[Copy]


class Staged:
    """A `Transport` over the messages of a communicator that takes arrays of NumPy.

    Args:
        comm: Carries the pieces.
        copies: Between the GPU and the machine's memory.
        place: Bytes of each of the three buffers.
    """

    def __init__(self, comm: Communicator, copies: Copies, place: int = _BYTES) -> None:
        self._comm = comm
        self._copies = copies
        self._bytes = place
        self._places: list[Array] = []

    def broadcast(self, array: Array, root: int) -> None:
        """See `Communicator.broadcast`."""
        check_rank("broadcast from", root, self._comm.size)
        self._pass(self._broadcast(root, piece) for piece in pieces(array, self._bytes))

    def all_reduce(self, array: Array) -> None:
        """See `Communicator.all_reduce`."""

        def reduced(piece: Array) -> Callable[[Array], _Passage]:
            def passage(place: Array) -> _Passage:
                host = first(place, piece)
                message = lambda: self._comm.all_reduce(host)  # noqa: E731
                return _Passage([(piece, host)], message, [(host, piece)])

            return passage

        self._pass(reduced(piece) for piece in pieces(array, self._bytes))

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
        """See `Communicator.exchange`."""
        for peer in (*outgoing, *incoming):
            check_peer(peer, self._comm.rank, self._comm.size)
        # A part of a place for each message that there can be, of one size on all ranks.
        part = self._bytes // (2 * self._comm.size) // 8 * 8
        leaving, coming = cut(outgoing, part), cut(incoming, part)
        rounds = max((len(p) for p in (*leaving.values(), *coming.values())), default=0)
        self._pass(
            self._swap(
                {peer: of[turn] for peer, of in leaving.items() if turn < len(of)},
                {peer: of[turn] for peer, of in coming.items() if turn < len(of)},
                part,
            )
            for turn in range(rounds)
        )

    def _gather(self, of_ranks: Sequence[Array]) -> None:
        """Give all ranks the arrays that one of them each has."""
        self._pass(
            self._broadcast(root, piece)
            for root, array in enumerate(of_ranks)
            for piece in pieces(array, self._bytes)
        )

    def _broadcast(self, root: int, piece: Array) -> Callable[[Array], _Passage]:
        def passage(place: Array) -> _Passage:
            host = first(place, piece)
            is_root = root == self._comm.rank
            return _Passage(
                [(piece, host)] if is_root else [],
                lambda: self._comm.broadcast(host, root),
                [] if is_root else [(host, piece)],
            )

        return passage

    def _swap(
        self, leaving: Mapping[int, Array], coming: Mapping[int, Array], part: int
    ) -> Callable[[Array], _Passage]:
        def passage(place: Array) -> _Passage:
            parts = iter(range(0, place.size, part))
            out = {peer: first(place[next(parts) :], piece) for peer, piece in leaving.items()}
            back = {peer: first(place[next(parts) :], piece) for peer, piece in coming.items()}
            return _Passage(
                [(piece, out[peer]) for peer, piece in leaving.items()],
                lambda: self._comm.exchange(
                    {peer: [host] for peer, host in out.items()},
                    {peer: [host] for peer, host in back.items()},
                ),
                [(back[peer], piece) for peer, piece in coming.items()],
            )

        return passage

    def _pass(self, passages: Iterator[Callable[[Array], _Passage]]) -> None:
        """Let pieces pass one after the other, the copies of one beside the message of another."""
        copies = self._copies
        busy: list[list[Done]] = [[] for _ in range(_PLACES)]
        copies.begin()
        fetched = self._fetch(passages, 0, busy)
        turn = 0
        while fetched is not None:
            passage, copied = fetched
            fetched = self._fetch(passages, turn + 1, busy)
            _wait(copied)
            passage.message()
            busy[turn % _PLACES] = [copies.to_device(*copy) for copy in passage.up]
            turn += 1
        copies.follow()
        copies.synchronize()

    def _fetch(
        self,
        passages: Iterator[Callable[[Array], _Passage]],
        turn: int,
        busy: Sequence[list[Done]],
    ) -> tuple[_Passage, list[Done]] | None:
        """Begin the copies before the next message, in a place of the ring that is free again."""
        make = next(passages, None)
        if make is None:
            return None
        number = turn % _PLACES
        _wait(busy[number])
        if number == len(self._places):
            self._places.append(self._copies.buffer(self._bytes))
        passage = make(self._places[number])
        return passage, [self._copies.to_host(*copy) for copy in passage.down]


def _wait(copies: Sequence[Done]) -> None:
    if copies:
        copies[-1].synchronize()  # they are made in their order
