"""Arrays of GPUs that MPI itself carries, where it was built with CUDA."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from ctypes import CDLL
from pathlib import Path

from distgrad.backend import Array, array_namespace
from distgrad.backend.devices import synchronize
from distgrad.distributed.communicator import Communicator

__all__ = ["CudaAware", "cuda_aware_problem"]

_CANARY_SECONDS = 60.0

_CANARY = """
import numpy, cupy
from mpi4py import MPI
sent = cupy.arange(1000, dtype="float32")
received = cupy.zeros_like(sent)
cupy.cuda.get_current_stream().synchronize()
MPI.COMM_SELF.Sendrecv(sent, 0, 0, received, 0, 0)
assert cupy.asnumpy(received).tolist() == list(range(1000))
"""

_OF_A_RANK = ("OMPI_", "PMIX_", "PMI_", "PRTE_", "MPI_", "MPIR_", "HYDRA_", "HYDI_", "SLURM_")


class CudaAware:
    """A `Transport` that gives arrays to MPI as they are.

    MPI knows nothing of streams, so the GPU is waited for before each call.

    Args:
        comm: Of an MPI that takes them.
    """

    def __init__(self, comm: Communicator) -> None:
        self._comm = comm

    def broadcast(self, array: Array, root: int) -> None:
        """See `Communicator.broadcast`."""
        synchronize(array)
        self._comm.broadcast(array, root)

    def all_reduce(self, array: Array) -> None:
        """See `Communicator.all_reduce`."""
        synchronize(array)
        self._comm.all_reduce(array)

    def all_gather(self, array: Array) -> Array:
        """See `Communicator.all_gather`."""
        ranks = self._comm.size
        result = array_namespace(array).empty((ranks, *array.shape), array.dtype)
        result[self._comm.rank] = array
        bounds = [array.size * rank for rank in range(ranks + 1)]
        self.all_gather_slices(result.reshape(-1), bounds)
        return result

    def all_gather_slices(self, array: Array, bounds: Sequence[int]) -> None:
        """See `Communicator.all_gather_slices`."""
        synchronize(array)
        self._comm.all_gather_slices(array, bounds)

    def exchange(
        self, outgoing: Mapping[int, Sequence[Array]], incoming: Mapping[int, Sequence[Array]]
    ) -> None:
        """See `Communicator.exchange`."""
        for arrays in (*outgoing.values(), *incoming.values()):
            for array in arrays[:1]:
                synchronize(array)
        self._comm.exchange(outgoing, incoming)


def cuda_aware_problem(comm: Communicator) -> str | None:
    """Say why the MPI in use cannot carry arrays of a GPU; None if it can.

    It is asked first, and then tried, in a process of its own: a wrong answer is no exception but
    the end of the process.
    """
    problem = _mpi_says_no(comm)
    if problem:
        return problem
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _CANARY],
            capture_output=True,
            timeout=_CANARY_SECONDS,
            check=False,
            env={k: v for k, v in os.environ.items() if not k.startswith(_OF_A_RANK)},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"MPI says that it was built with CUDA, but a trial did not end ({error})"
    if tried.returncode:
        return (
            "MPI says that it was built with CUDA, but a trial ended with exit status "
            f"{tried.returncode}"
        )
    return None


def _mpi_says_no(comm: Communicator) -> str | None:
    """Return why MPI does not say that it takes arrays of GPUs; None where it does."""
    if not hasattr(comm, "memory_kinds"):
        return "the ranks are not connected by MPI"
    if "cuda" in comm.memory_kinds:
        return None
    for library in _loaded_mpi():
        query = getattr(CDLL(library), "MPIX_Query_cuda_support", None)
        if query is not None:
            return None if query() else "MPI was built without CUDA (MPIX_Query_cuda_support)"
    return "MPI does not say that it was built with CUDA"


def _loaded_mpi() -> list[str]:
    """Return the files of the MPI libraries that this process has loaded."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return []
    files = {line.split()[-1] for line in maps.read_text().splitlines() if "/" in line}
    return sorted(file for file in files if Path(file).name.startswith(("libmpi.so", "libmpich")))
