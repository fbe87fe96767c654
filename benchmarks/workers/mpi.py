"""What the workers that speak MPI themselves share: ranks, and the mean of their losses."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workers.workload import Workload


def connect(workload: Workload) -> tuple[Any, int]:
    """Return the communicator and the rank; one process needs no MPI, and does not load it."""
    if workload.ranks == 1:
        return None, 0
    from mpi4py import MPI

    return MPI.COMM_WORLD, MPI.COMM_WORLD.rank


def mean_over_ranks(comm: Any, losses: Sequence[Any]) -> list[float]:
    """Return the means over ranks of what each has for each step."""
    own = np.array([float(loss) for loss in losses])
    if comm is not None:
        own = comm.allreduce(own) / comm.size
    return own.tolist()


def library(comm: Any) -> str:
    """Return the version of the MPI library."""
    if comm is None:
        return "none (one process)"
    from mpi4py import MPI

    return MPI.Get_library_version()
