"""Is there enough of it? Shared memory, memory, disk and cores of one machine."""

import errno
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from distgrad.cgroup import cpu_quota, memory_limit
from distgrad.launcher.command_line import usable_cores
from distgrad.launcher.preflight.container import remedy
from distgrad.launcher.preflight.result import Result, green, red, size, yellow

_MB = 2**20
_GB = 2**30


@dataclass(frozen=True)
class _SharedMemoryNeed:
    """Bytes of /dev/shm that an MPI takes.

    Attributes:
        vital: for each rank; with less the ranks are killed as they start (SIGBUS).
        wanted: for each rank, where messages are many.
        at_once: the least that must be free, however few the ranks.
        without: what happens with less than is wanted.
    """

    vital: int
    wanted: int
    at_once: int
    without: str = "messages take slower ways"


_SHARED_MEMORY: Mapping[str | None, _SharedMemoryNeed] = {
    # A sparse file for each rank; without the space for a whole one, messages go through TCP.
    "openmpi": _SharedMemoryNeed(vital=0, wanted=2 * _MB, at_once=17 * _MB),
    # Two files, of 1 and 4 MB a rank: without the first, SIGBUS, without the second it is slow.
    "mpich": _SharedMemoryNeed(vital=1100 * 1024, wanted=6 * _MB, at_once=0),
    # Little at first, and more as messages grow.
    "impi": _SharedMemoryNeed(
        vital=0, wanted=_MB, at_once=48 * _MB, without="ranks may die of SIGBUS"
    ),
}
_UNKNOWN_MPI = _SharedMemoryNeed(vital=0, wanted=6 * _MB, at_once=17 * _MB)

_RANK_ITSELF = 50 * _MB
"""What a rank takes before it has loaded a model: Python, NumPy and MPI."""

_RANK_COMFORTABLE = 256 * _MB

_DISK_COMFORTABLE = _GB
_TEMPORARY_COMFORTABLE = 64 * _MB
_DISK_LEAST = _MB


def shared_memory(
    vendor: str | None, ranks: int, folder: Path = Path("/dev/shm"), where: str | None = None
) -> Result:
    """Compares the size and free space of /dev/shm with what the MPI takes of it.

    Args:
        vendor: the MPI, as in `mpi_runtime.Mpi`.
        ranks: the number of ranks on this machine.
        folder: where shared memory lies.
        where: the kind of container, from `container.container`.
    """
    check = "shared memory"
    need = _SHARED_MEMORY.get(vendor, _UNKNOWN_MPI)
    if not folder.is_dir():
        return red(check, f"there is no {folder}", f"sudo mount -t tmpfs tmpfs {folder}")
    total, free = _space(folder)
    vital = need.vital * ranks
    wanted = max(need.at_once, need.wanted * ranks)
    text = f"{folder}: {size(free)} of {size(total)} free, {size(max(vital, wanted))} wanted"
    if total >= wanted > free:  # large enough, but others fill it
        mend = f"ls -l {folder}   # remove what no program uses any more"
    else:
        mend = remedy(
            "--shm-size=1g",
            f"volumes: [{{name: shm, emptyDir: {{medium: Memory}}}}] mounted at {folder}",
            f"sudo mount -o remount,size=1g {folder}",
            where,
        )
    if free < vital:
        return red(check, f"{text}: the ranks die of SIGBUS as they start", mend)
    if free < wanted:
        return yellow(check, f"{text}: {need.without}", mend)
    return green(check, text)


def memory(ranks: int, root: Path = Path("/"), where: str | None = None) -> Result:
    """Compares the free memory, and the control group's limit, with the number of ranks."""
    check = "memory"
    free, text = _free_memory(root), ""
    if free is not None:
        text = f"{size(free)} free"
        mend = _fewer_ranks(free, ranks)
    limit = memory_limit(root)
    if limit is not None and (free is None or limit.free < free):
        free = limit.free
        text = f"{size(free)} left of the control group's limit of {size(limit.limit)}"
        gigabytes = -(-_RANK_COMFORTABLE * ranks // _GB) + 1
        pod = f"resources: {{limits: {{memory: {gigabytes}Gi}}}}"
        mend = remedy(f"--memory={gigabytes}g", pod, _fewer_ranks(free, ranks), where)
    if free is None:
        return green(check, "unknown: this system does not tell")
    if free < _RANK_ITSELF * ranks:
        least = size(_RANK_ITSELF * ranks)
        return red(check, f"{text}; {ranks} ranks take {least} before they hold a model", mend)
    if free < _RANK_COMFORTABLE * ranks:
        return yellow(check, f"{text}: {size(free / ranks)} for each of {ranks} ranks", mend)
    return green(check, text)


def disk(folder: Path) -> Result:
    """Looks whether runs can be written to ``folder``, and how much space is left there."""
    mend = "distgrad launch --run-dir PATH ...   # on another disk"
    return _disk("disk", folder, _DISK_COMFORTABLE, mend)


def temporary_files() -> Result:
    """Looks whether the launcher and the MPI can write their temporary files."""
    check, mend = "temporary", "export TMPDIR=/a/folder/that/can/be/written"
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError as error:  # it has tried several
        return red(check, str(error.strerror), mend)
    return _disk(check, folder, _TEMPORARY_COMFORTABLE, mend)


def _disk(check: str, folder: Path, comfortable: int, mend: str) -> Result:
    """Writes a file that has no name, into the folder or the nearest one above it that exists."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return red(check, f"{place} is full: {error.strerror}", mend)
        return red(check, f"{place} cannot be written: {error.strerror}", mend)
    total, free = _space(place)
    text = f"{place}: {size(free)} of {size(total)} free"
    if free < _DISK_LEAST:
        return red(check, f"{text}: too little", mend)
    if free < comfortable:
        return yellow(check, f"{text}: little", mend)
    return green(check, text)


def cores(ranks: int, root: Path = Path("/"), where: str | None = None) -> Result:
    """Compares the cores, and the control group's share of them, with the number of ranks."""
    check = "cores"
    usable = usable_cores()
    quota = cpu_quota(root)
    text = f"{usable} usable cores" if usable > 1 else "1 usable core"
    if quota is not None:
        text += f", time of {quota:g} by the control group"
    if quota is not None and quota < min(ranks, usable):
        pod = f"resources: {{limits: {{cpu: {ranks}}}}}"
        mend = remedy(f"--cpus={ranks}", pod, f"distgrad launch -n {max(1, int(quota))} ...", where)
        return yellow(check, f"{text} for {ranks} ranks: they wait for their turns", mend)
    if usable < ranks:
        mend = f"distgrad launch -n {usable} ..."
        return yellow(check, f"{text} for {ranks} ranks: they share cores", mend)
    return green(check, text)


def _space(folder: Path) -> tuple[int, int]:
    numbers = os.statvfs(folder)
    return numbers.f_blocks * numbers.f_frsize, numbers.f_bavail * numbers.f_frsize


def _fewer_ranks(free: int, ranks: int) -> str:
    enough = free // _RANK_COMFORTABLE
    if 1 <= enough < ranks:
        return f"distgrad launch -n {enough} ..."
    return "ps aux --sort=-rss | head   # end what takes the memory"


def _free_memory(root: Path) -> int | None:
    try:
        words = (root / "proc/meminfo").read_text().split()
    except OSError:
        return None
    return sum(
        int(words[words.index(name) + 1]) * 1024
        for name in ("MemAvailable:", "SwapFree:")
        if name in words
    )
