"""What became of a job: the exit status to pass on, and what to say.

mpirun's own exit status does not tell a rank that was killed from one that ended with a status, or
not under every MPI: Hydra passes on the bare number of the signal, that of Intel MPI always 255.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from distgrad.launcher.banners import Loss, Note

RANKS_LOST = 4
"""The exit status of a launch that has lost a rank, or mpirun, to a signal."""

INTERRUPTED = 130
"""The exit status of a launch that a signal ended."""

_CAUSES = {
    signal.SIGKILL: "Mostly that is the kernel when memory runs out: dmesg tells.",
    signal.SIGBUS: "Mostly that is shared memory that is full: see df -h /dev/shm.",
    signal.SIGSEGV: "That is a crash in compiled code, not in Python.",
    signal.SIGILL: "That is compiled code for another processor than this one.",
    signal.SIGXCPU: "That is a limit of the shell or the resource manager: see ulimit -t.",
}

_WAY_OUT = "The same command with --resume goes on from the run's last checkpoint."


@dataclass(frozen=True)
class Outcome:
    """What to do about a job that has ended.

    Attributes:
        status: the exit status to pass on.
        lines: what to say.
        signal: the signal that a rank, or mpirun, was lost to.
    """

    status: int
    lines: Sequence[str] = ()
    signal: int | None = None


@dataclass(frozen=True)
class _Exit:
    rank: int | None
    status: int

    def __str__(self) -> str:
        rank = "a rank" if self.rank is None else f"rank {self.rank}"
        return f"{rank} ended with status {self.status}"


def outcome(status: int, notes: Sequence[Note], first_to_end: int | None = None) -> Outcome:
    """Tells what became of a job.

    Args:
        status: what mpirun ended with; -N where signal N ended mpirun itself.
        notes: what its boxes said.
        first_to_end: the rank that was the first to end, where that was seen.

    Example:
        >>> outcome(3, [Note("rank 1 on node4 called MPI_Abort")])
        Outcome(status=3, lines=['rank 1 on node4 called MPI_Abort'], signal=None)
        >>> outcome(137, [Note("", Loss(9, rank=1))]).lines[0]
        'rank 1 was ended by signal 9 (Killed)'
    """
    aborts = [note.abort for note in notes if note.abort is not None]
    if status == -signal.SIGPIPE and aborts:  # Intel's Hydra, telling ranks that are gone already
        return Outcome(aborts[0], _texts(notes))
    if status < 0:
        return _lost(f"mpirun was ended by {_named(-status)}, and its ranks with it", -status)
    ended = _first_of_all(notes, first_to_end)
    if isinstance(ended, Loss):
        return _lost(str(ended), ended.signal)
    if ended is not None:
        return Outcome(ended.status, [str(ended)])
    lines = _texts(notes)
    # What Open MPI and a shell make of a signal; 130 is what a rank itself ends with on a request.
    if not lines and 128 < status != INTERRUPTED and status - 128 in signal.valid_signals():
        return _lost(str(Loss(status - 128)), status - 128)
    return Outcome(status, lines)


def _lost(what: str, number: int) -> Outcome:
    cause = [_CAUSES[signal.Signals(number)]] if number in _CAUSES else []
    return Outcome(RANKS_LOST, [what, *cause, _WAY_OUT], number)


def _texts(notes: Sequence[Note]) -> list[str]:
    return [note.text for note in notes if note.text]


def _named(number: int) -> str:
    return f"signal {number} ({signal.strsignal(number)})"


def _first_of_all(notes: Sequence[Note], first_to_end: int | None) -> Loss | _Exit | None:
    """Finds the rank whose end was not mpirun's own cleaning up; None where no rank was lost."""
    losses = [note.loss for note in notes if note.loss is not None]
    by_host = next((note.statuses for note in notes if note.statuses), ())
    if not losses or not by_host:  # Open MPI names the one
        return losses[0] if losses else None
    ends = dict(enumerate(status for host in by_host for status in host))
    if len(by_host) > 1:  # the order of the statuses need not be that of the ranks
        place = _unlike_the_others(ends, None)
        rank, host = None, None
    else:
        place = rank = _unlike_the_others(ends, first_to_end)
        host = losses[0].host
    if place is None:
        return Loss(signal.SIGKILL, host=host)
    if os.WIFEXITED(ends[place]):
        return _Exit(rank, os.WEXITSTATUS(ends[place]))
    process = next((loss.process for loss in losses if loss.rank == rank), None)
    killed = [status for status in ends.values() if status == signal.SIGKILL]
    alike = ends[place] == signal.SIGKILL and len(killed) > 1
    return Loss(os.WTERMSIG(ends[place]), rank, host, process, first=alike)


def _unlike_the_others(ends: Mapping[int, int], first_to_end: int | None) -> int | None:
    """The place of the one that SIGKILL, Hydra's way, did not end, else of the first to end.

    Which was first is seen by when they are gone, and that takes the kernel a moment: one time in a
    hundred the next one, which Hydra ended, overtakes it.
    """
    failed = [place for place, status in ends.items() if status]
    others = [place for place in failed if ends[place] != signal.SIGKILL]
    if first_to_end in (others or failed):
        return first_to_end
    return (others or failed)[0] if others or len(failed) == 1 else None
