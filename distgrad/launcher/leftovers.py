"""Ends whatever a job has left running on this machine.

Ranks run in process groups of their own (Open MPI) or in sessions of their own (MPICH), and once
their parent is dead nothing ties them to the job but the environment that they inherited. So the
launcher puts a mark there and goes by it.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_PROCESSES = Path("/proc")


def kill_marked(mark: str, within: float) -> None:
    """Kills every process that was started with `mark` in its environment.

    Where there is no ``/proc``, nothing is found and nothing is killed.

    Args:
        mark: an entry of the environment, ``NAME=VALUE``.
        within: seconds after which to stop looking for processes that are not gone yet.
    """
    deadline = time.monotonic() + within
    # A process that is just starting a program shows no environment: only a second look that finds
    # nothing tells that nothing is left.
    looks_without_any = 0
    while looks_without_any < 2 and time.monotonic() < deadline:
        left = list(_marked(mark.encode()))
        looks_without_any = 0 if left else looks_without_any + 1
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)


def _marked(mark: bytes) -> Iterator[int]:
    for folder in _PROCESSES.glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:  # gone in the meantime, or another user's
            continue
        if mark in environment.split(b"\0"):
            yield int(folder.name)
