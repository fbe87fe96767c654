"""Memory of a process that the other ranks of its machine see.

It has no name that could be left behind: where there is ``memfd_create``, the others open it as a
file of the process that made it, ``/proc/PID/fd/FD``; elsewhere it is a temporary file that is
unlinked as soon as they have opened it. It is gone with the last process that maps it, however that
ends. All of it is reserved at once: in a container with little memory to share, a write to what
is not there would kill the process. And no more is reserved than there is: the kernel would make
room, and end other processes for it.
"""

import errno
import math
import mmap
import os
import secrets
import stat
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from distgrad.backend import Array
from distgrad.distributed.communicator import Communicator

__all__ = ["NotSharedError", "share"]

_HEADER = 64
"""Bytes before the memory, a cache line: a number drawn at random, by which the others know it."""

_ZEROS = bytes(2**20)


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
    segment, problem = None, None
    try:
        segment = _Segment(_HEADER + sizes[comm.rank])
    except OSError as error:
        problem = f"{sizes[comm.rank]:,} bytes cannot be reserved: {error}"
    try:
        _agree(comm, problem)
        assert segment is not None  # or it would have raised
        everyone = comm.all_gather_object((comm.host, segment.address))
        addresses = {rank: own for rank, (host, own) in enumerate(everyone) if host == comm.host}
        shared: dict[int, Array] = {}
        try:
            for rank, address in addresses.items():
                own = rank == comm.rank
                shared[rank] = (segment.memory if own else _opened(rank, address))[_HEADER:]
        except OSError as error:
            problem = str(error)
        _agree(comm, problem)
        return shared
    finally:
        if segment:
            segment.hide()


def _agree(comm: Communicator, problem: str | None) -> None:
    """Raise on every rank what the first one with a problem has."""
    for rank, (host, told) in enumerate(comm.all_gather_object((comm.host, problem))):
        if told:
            raise NotSharedError(f"rank {rank} ({host}): {told}")


class _Segment:
    """Memory of this process, reserved, that others can open until it is hidden."""

    def __init__(self, size: int) -> None:
        self._descriptor, self._file, path = _created()
        try:
            _reserve(self._descriptor, size)
            self.memory: Array = np.frombuffer(mmap.mmap(self._descriptor, size), np.uint8)
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
    if size > _available_bytes():
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    for start in range(0, size, len(_ZEROS)):
        os.pwrite(descriptor, _ZEROS[: size - start], start)


def _available_bytes() -> float:
    """Return how much memory is to be had; on other systems than Linux the file system knows."""
    try:
        with open("/proc/meminfo") as lines:
            return next(1024 * int(li.split()[1]) for li in lines if li.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return math.inf


def _opened(rank: int, address: _Address) -> Array:
    """Return the memory of another rank's segment, to be read.

    Raises:
        OSError: If it is not to be found there: the rank may see other processes, or be another
            user.
    """
    path, size, token = address
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size != size:
            raise OSError(f"{path} is something else there")
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            memory = mmap.mmap(descriptor, size, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)
        if memory[:_HEADER] != token:
            memory.close()
            raise OSError(f"{path} is something else there")
    except OSError as error:
        raise OSError(f"the memory of rank {rank} cannot be opened: {error}") from error
    return np.frombuffer(memory, np.uint8)
