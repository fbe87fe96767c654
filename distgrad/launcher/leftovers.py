"""Ends and removes whatever a job has left on this machine.

Ranks run in process groups of their own (Open MPI) or in sessions of their own (MPICH), and once
their parent is dead nothing ties them to the job but the environment that they inherited. So the
launcher puts a mark there, the path of the job's folder, and goes by it. What they shared lies in
files: in the job's folder, where an MPI lets itself be told, else under names of the MPI's choice.

Also a program of its own, ``python leftovers.py FOLDER``: it does all this when its standard input
ends, and thereby when the process at the other end dies, however that dies. For that it imports
nothing of the package, which would take longer to load than a job takes to start.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "DISTGRAD_JOB"
"""What a job's processes carry in their environment: the path of its folder."""

FOLDER_PREFIX = "distgrad-job-"
"""How the name of a job's folder begins; the seconds at which the job began follow."""

_PROCESSES = Path("/proc")

_PLACES = {
    # Names of Open MPI 5, of 4, of MPICH, of Intel MPI, and of UCX, which several of them use.
    Path("/dev/shm"): ("sm_segment.*", "vader_segment.*", "mpich_*", "Intel_MPI_*", "ucx_shm_*"),
    # Hydra's account of the machine, which it writes there whatever TMPDIR says.
    Path("/tmp"): ("hydra_hwloc_xmlfile_*",),
}

_BETWEEN_LOOKS = 0.2
"""Seconds; a process that makes a segment holds it by then."""

_KILL_WITHIN = 10.0


def clear(folder: Path) -> None:
    """Ends every process of the job of `folder`, and removes its files and the folder."""
    kill_marked(f"{MARK}={folder}", _KILL_WITHIN)
    remove_files(_began(folder))
    shutil.rmtree(folder, ignore_errors=True)


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
        left = list(marked(mark))
        looks_without_any = 0 if left else looks_without_any + 1
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)


def marked(mark: str) -> dict[int, dict[str, str]]:
    """Finds the processes that were started with `mark` in their environment.

    Returns:
        The environment of each, by its number; those that have ended have none and are left out.
    """
    found = {}
    entry = mark.encode()
    for folder in _PROCESSES.glob("[0-9]*"):
        try:
            entries = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # gone in the meantime, or another user's
            continue
        if entry in entries:
            words = (os.fsdecode(word).partition("=") for word in entries)
            found[int(folder.name)] = {name: value for name, _, value in words}
    return found


def remove_files(since: float) -> None:
    """Removes the shared memory of dead MPI processes.

    That is what carries a name of an MPI's, is this user's, has been made since then, and is held
    by nobody. Processes that cannot be seen, such as those of another container which shares
    ``/dev/shm``, hold nothing.

    Args:
        since: seconds since the epoch.
    """
    abandoned = _unheld(list(_candidates(since)))
    if abandoned:
        time.sleep(_BETWEEN_LOOKS)
        for file in _unheld(abandoned):
            file.unlink(missing_ok=True)


def _began(folder: Path) -> float:
    """Reads from the name of a job's folder when the job began."""
    seconds = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
    return float(seconds) if seconds.isdigit() else time.time()


def _candidates(since: float) -> Iterator[Path]:
    for place, patterns in _PLACES.items():
        for pattern in patterns:
            for file in place.glob(pattern):
                try:
                    status = file.lstat()
                except FileNotFoundError:
                    continue
                if status.st_uid == os.geteuid() and status.st_ctime >= since:
                    yield file


def _unheld(files: list[Path]) -> list[Path]:
    """Returns the files that no process has open or mapped."""
    if not files:
        return []
    held = {path for process in _PROCESSES.glob("[0-9]*") for path in _held_by(process)}
    return [file for file in files if str(file) not in held]


def _held_by(process: Path) -> Iterator[str]:
    try:
        for line in (process / "maps").read_bytes().splitlines():
            yield os.fsdecode(line.split(maxsplit=5)[-1])
        descriptors = list((process / "fd").iterdir())
    except OSError:  # as above
        return
    for descriptor in descriptors:
        with suppress(OSError):  # closed in the meantime
            yield os.readlink(descriptor)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    clear(Path(sys.argv[1]))
