"""NCCL, as CuPy gives it: messages between GPUs, each of one process."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from time import sleep
from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.errors import DeviceError, TrainingError

__all__ = ["NcclRanks", "nccl_identity", "nccl_problem"]

_QUICK = 1000
"""How often a GPU is asked whether it is done, before it is left alone for a while each time."""

_PAUSE = 2e-4
"""That while, in seconds."""

_SUMMED = {"float16": "NCCL_FLOAT16", "float32": "NCCL_FLOAT32", "float64": "NCCL_FLOAT64"}


def nccl_problem(xp: Namespace) -> str | None:
    """Say why NCCL cannot be used; None if it can."""
    nccl = _nccl_of(xp)
    if nccl is None or not nccl.available:
        return "CuPy finds no NCCL (pip install nvidia-nccl-cu12 or nvidia-nccl-cu13)"
    return None


def _nccl_of(xp: Namespace) -> Any:
    """Return CuPy's module for NCCL, or None; it is loaded when it is asked for."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a library that is not there, which is told anyway
            return import_module(f"{xp.__name__}.cuda.nccl")
    except ImportError:
        return None


def nccl_identity(xp: Namespace) -> Any:
    """Return what one rank makes and all ranks are given, to find each other by.

    Raises:
        DeviceError: If NCCL does not start.
    """
    nccl = _nccl_of(xp)
    try:
        return nccl.get_unique_id()
    except nccl.NcclError as error:
        raise DeviceError(f"NCCL does not start: {error}") from error


class NcclRanks:
    """A communicator of NCCL; what it is given is ordered on the current stream.

    Where NCCL fails in what it is given, what is on its way is ended, and a `TrainingError` has
    NCCL's words.

    Args:
        xp: CuPy.
        size: The number of ranks, each on a GPU of its own; all of them make it together.
        rank: This one.
        identity: From `nccl_identity`, of one of them.

    Raises:
        DeviceError: If NCCL refuses.
    """

    def __init__(self, xp: Namespace, size: int, rank: int, identity: Any) -> None:
        self._xp = xp
        self._nccl = _nccl_of(xp)
        self._is_aborted = False
        try:
            self._communicator = self._nccl.NcclCommunicator(size, identity, rank)
        except self._nccl.NcclError as error:
            raise DeviceError(f"NCCL does not connect the ranks: {error}") from error

    def broadcast(self, array: Array, root: int) -> None:
        """Overwrite an array with that of one rank."""
        with self._telling() as comm:
            comm.bcast(*self._bytes(array), root, self._stream)

    def all_reduce(self, array: Array) -> None:
        """Overwrite an array with its sum over the ranks."""
        kind = getattr(self._nccl, _SUMMED[array.dtype.name])
        at = array.data.ptr
        with self._telling() as comm:
            comm.allReduce(at, at, array.size, kind, self._nccl.NCCL_SUM, self._stream)

    def exchange(
        self, outgoing: Mapping[int, Sequence[Array]], incoming: Mapping[int, Sequence[Array]]
    ) -> None:
        """Send arrays to ranks and fill arrays from ranks, all at once."""
        with self._telling() as comm:
            self._nccl.groupStart()
            try:
                for peer, arrays in outgoing.items():
                    for array in arrays:
                        comm.send(*self._bytes(array), peer, self._stream)
                for peer, arrays in incoming.items():
                    for array in arrays:
                        comm.recv(*self._bytes(array), peer, self._stream)
            finally:
                self._nccl.groupEnd()

    def settle(self) -> None:
        """Wait until the GPU has done what it was given so far, of this rank's own."""
        self._xp.cuda.get_current_stream().synchronize()

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Wait until the GPU has done what it was given so far.

        A rank that does not come leaves the GPU waiting for ever; nothing that waits for the GPU
        would then return. So it is asked again and again, and when it shall not be waited for any
        more, what is on its way is ended: the communicator cannot be used any more.

        Args:
            is_over: Tells whether it has been waited for long enough.

        Raises:
            TrainingError: If NCCL has lost a rank, with its own words; or if it is over.
        """
        done = self._xp.cuda.get_current_stream().record()
        asked = 0
        while not done.done:
            self._check()
            if is_over():
                self.abort()
                raise TrainingError("NCCL has waited for other ranks for too long, and was ended")
            asked += 1
            sleep(0 if asked < _QUICK else _PAUSE)
        self._check()

    def abort(self) -> None:
        """End what is on its way, on this rank; it carries nothing from then on."""
        self._is_aborted = True
        self._communicator.abort()

    @contextmanager
    def _telling(self) -> Iterator[Any]:
        """Give CuPy's communicator to a block, and tell what goes wrong there."""
        if self._is_aborted:
            raise TrainingError("NCCL was ended on this rank, and carries nothing any more")
        try:
            yield self._communicator
        except self._nccl.NcclError as error:
            self.abort()
            raise TrainingError(f"NCCL lost the other ranks: {error}") from error

    def _check(self) -> None:
        """Raise what has gone wrong, if anything has."""
        with self._telling() as comm:
            comm.check_async_error()

    @property
    def _stream(self) -> int:
        return int(self._xp.cuda.get_current_stream().ptr)

    def _bytes(self, array: Array) -> tuple[int, int, int]:
        """Where an array lies, as bytes: what only moves needs no type."""
        return array.data.ptr, array.nbytes, self._nccl.NCCL_UINT8
