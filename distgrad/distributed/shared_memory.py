"""Memory of a process that the other ranks of its machine see.

It has no name that could be left behind: where there is ``memfd_create``, the others open it as a
file of the process that made it, ``/proc/PID/fd/FD``; elsewhere it is a temporary file that is
unlinked as soon as they have opened it. It is gone with the last process that maps it, however that
ends. All of it is reserved at once: in a container with little memory to share, a write to what
is not there would kill the process. And no more is reserved than there is, on the machine and under
the limit of a container: the kernel would make room, and end processes for it.
"""

import math
import mmap
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from distgrad.backend import Array
from distgrad.cgroup import memory_limit
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.problems import shown_to_all

__all__ = ["NotSharedError", "share"]

_HEADER = 64
"""Bytes before the memory, a cache line: a number drawn at random, by which the others know it."""

_ZEROS = bytes(2**20)

_WITHOUT_DESCRIPTOR: dict[str, bool] = {"trackfd": False} if sys.version_info >= (3, 13) else {}
"""Else a mapping keeps a descriptor of its own, of which a process may not have many."""


class NotSharedError(Exception):
    """Why the ranks of a machine cannot see each other's memory; the same on all ranks."""


class _Address(NamedTuple):
    """Where another process finds a segment, and how it knows that it is the right one."""

    path: str
    size: int
    token: bytes


def share(comm: Communicator, sizes: Sequence[int]) -> dict[int, Array]:
    """Make memory on every rank that those of its machine see; all ranks call it.

    Args:
        comm: The ranks.
        sizes: Bytes on each rank.

    Returns:
        The bytes of each rank of this machine, by rank. Those of the others can only be read. They
        are given back when no array refers to them.

    Raises:
        NotSharedError: On every rank, if one of them has no memory for it or cannot open a peer's.
    """
    hosts = _with_room(comm, sizes)
    segment: _Segment | None = None
    problem: Exception | None = None
    try:
        if sizes[comm.rank]:
            segment = _Segment(_HEADER + sizes[comm.rank])
    except OSError as error:
        problem = OSError(f"{sizes[comm.rank]:,} bytes cannot be reserved: {error}")
    try:
        address = segment.address if segment else None
        addresses = shown_to_all(comm, address, problem, NotSharedError)
        shared: dict[int, Array] = {}
        try:
            for rank, at in enumerate(addresses):
                if hosts[rank] == comm.host:
                    own = segment if rank == comm.rank else None
                    shared[rank] = own.memory[_HEADER:] if own else _opened(rank, at)
        except OSError as error:
            problem = error
        shown_to_all(comm, None, problem, NotSharedError)
        return shared
    finally:
        if segment:
            segment.hide()


def _with_room(comm: Communicator, sizes: Sequence[int]) -> list[str]:
    """Return the machine of each rank.

    Raises:
        NotSharedError: On every rank, if one of the machines lacks memory for all of its ranks.
    """
    told = comm.all_gather_object((comm.host, _available_bytes()))
    hosts = [host for host, _ in told]
    for machine in dict.fromkeys(hosts):
        wanted = [size for size, host in zip(sizes, hosts, strict=True) if host == machine]
        total = sum(_HEADER + size for size in wanted if size)
        free = min(free for host, free in told if host == machine)
        if total > free:
            raise NotSharedError(
                f"the ranks on {machine} share {total:,} bytes, and {free:,.0f} are free there"
            )
    return hosts


class _Segment:
    """Memory of this process, reserved, that others can open until it is hidden."""

    def __init__(self, size: int) -> None:
        self._descriptor, self._file, path = _created()
        try:
            _reserve(self._descriptor, size)
            mapped = mmap.mmap(self._descriptor, size, **_WITHOUT_DESCRIPTOR)
            self.memory: Array = np.frombuffer(mapped, np.uint8)
        except OSError:
            self.hide()
            raise
        token = secrets.token_bytes(_HEADER)
        self.memory[:_HEADER] = np.frombuffer(token, np.uint8)
        self.address = _Address(path, size, token)

    def hide(self) -> None:
        """Take away what others open it by; what is mapped stays."""
        os.close(self._descriptor)
        if self._file:
            os.unlink(self._file)


def _created() -> tuple[int, str, str]:
    """Return the descriptor of a new file, its name if it has one, and what others open it by."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("distgrad")
        return descriptor, "", f"/proc/{os.getpid()}/fd/{descriptor}"
    descriptor, name = tempfile.mkstemp(prefix="distgrad-")
    return descriptor, name, name


def _reserve(descriptor: int, size: int) -> None:
    """Make a file so large, of memory that is there."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    for start in range(0, size, len(_ZEROS)):
        os.pwrite(descriptor, _ZEROS[: size - start], start)


def _available_bytes() -> float:
    """Return how much memory is to be had; on other systems than Linux the file system knows."""
    limit = memory_limit()
    under_limit = limit.free if limit else math.inf
    try:
        with open("/proc/meminfo") as lines:
            of_machine = next(int(li.split()[1]) for li in lines if li.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return under_limit
    return min(1024 * of_machine, under_limit)


def _opened(rank: int, address: _Address | None) -> Array:
    """Return the memory of another rank, to be read; without an address it has none.

    Raises:
        OSError: If it is not to be found there: the rank may see other processes, or be another
            user.
    """
    if address is None:
        return np.empty(0, np.uint8)
    path, size, token = address
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size != size:
            raise OSError(f"{path} is something else there")
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            memory = mmap.mmap(descriptor, size, prot=mmap.PROT_READ, **_WITHOUT_DESCRIPTOR)
        finally:
            os.close(descriptor)
        if memory[:_HEADER] != token:
            memory.close()
            raise OSError(f"{path} is something else there")
    except OSError as error:
        raise OSError(f"the memory of rank {rank} cannot be opened: {error}") from error
    return np.frombuffer(memory, np.uint8, offset=_HEADER)
