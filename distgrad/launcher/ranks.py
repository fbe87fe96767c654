"""The ranks of a job on this machine, seen from outside."""

import os
import select
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from distgrad.launcher.leftovers import marked

_RANK_NAMES = ("OMPI_COMM_WORLD_RANK", "PMI_RANK")

_FIRST_LOOK, _LAST_LOOK = 0.1, 5.0
"""Seconds between the looks for ranks that have not appeared; each wait is twice the one before."""


def ranks_here(mark: str) -> dict[int, int]:
    """Finds the ranks of a job on this machine.

    Args:
        mark: what the job's processes carry in their environment, ``NAME=VALUE``.

    Returns:
        The rank of each process, by its number. What a rank has started inherits its environment,
        and is not counted.
    """
    ranks = {
        process: rank
        for process, environment in marked(mark).items()
        if (rank := _rank(environment)) is not None
    }
    return {process: rank for process, rank in ranks.items() if ranks.get(_parent(process)) != rank}


class FirstToEnd:
    """Sees which rank of a job is the first to end, where all of them run on this machine.

    Hydra reports what became of the ranks when it has ended those that were left, and then they
    all look alike. Where the kernel cannot tell of a process's end (before Linux 5.3), nothing is
    seen.

    Attributes:
        rank: the rank, as soon as one has ended; None if that was not seen.
    """

    def __init__(self, mark: str, ranks: int) -> None:
        self.rank: int | None = None
        self._mark = mark
        self._ranks = ranks
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begins to look for the ranks and then to watch them."""
        if hasattr(os, "pidfd_open"):
            threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """Ends the search for ranks, once mpirun has ended."""
        self._stopped.set()

    def _watch(self) -> None:
        wait = _FIRST_LOOK
        while len(ranks := ranks_here(self._mark)) < self._ranks:
            if self._stopped.wait(wait):
                return
            wait = min(2 * wait, _LAST_LOOK)
        watched: dict[int, int] = {}
        # One that has ended by now was the first, and cannot be told any more.
        with suppress(OSError):
            for process, rank in ranks.items():
                watched[os.pidfd_open(process)] = rank
            self.rank = watched[_first_ready(watched)]
        for descriptor in watched:
            os.close(descriptor)


def _first_ready(descriptors: Iterable[int]) -> int:
    # epoll, unlike poll, knows which one came first when this thread hears of several at once.
    with select.epoll() as poll:
        for descriptor in descriptors:
            poll.register(descriptor, select.EPOLLIN)
        return poll.poll(maxevents=1)[0][0]


def _rank(environment: Mapping[str, str]) -> int | None:
    for name in _RANK_NAMES:
        if (value := environment.get(name, "")).isdigit():
            return int(value)
    return None


def _parent(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:  # gone in the meantime
        return 0
    return int(status.rpartition(b")")[2].split()[1])
