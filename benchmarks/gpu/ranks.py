"""Rows of several ranks, and of what one rank needs for them."""

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic

from benchmarks.gpu.sizes import SIZES
from distgrad.backend.devices import namespace_of, to_device
from distgrad.backend.nccl import nccl_problem
from distgrad.distributed import SingleProcess
from distgrad.distributed.device.nccl import Nccl
from distgrad.errors import TrainingError
from distgrad.launcher.command_line import mpirun_command
from distgrad.launcher.mpi_runtime import chosen_library, job_environment
from distgrad.launcher.mpirun import find_mpirun
from distgrad.launcher.options import LaunchOptions

__all__ = ["LeftOutError", "a_killed_rank", "between_two_ranks", "nccl"]

_SECONDS = 120
_TIMES = 10


class LeftOutError(Exception):
    """Why something cannot be measured here."""


def between_two_ranks() -> dict[str, float]:
    """Measure two ranks on one GPU: copies out of each other's memory, and sums of gradients."""
    done = _run(str(min(_TIMES, SIZES.most_times)))
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout)[-300:])
    line = next(line for line in done.stdout.splitlines() if "{" in line)
    found: dict[str, float] = json.loads(line[line.index("{") :])
    return found


def a_killed_rank() -> dict[str, float]:
    """See that a job ends when one of two ranks on the GPU is killed, and how soon."""
    start = monotonic()
    if _run("1", "kill").returncode == 0:
        raise AssertionError("the job ended well without one of its ranks")
    return {"the job ended after s": monotonic() - start}


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    mpirun = find_mpirun(chosen_library(None))
    job = [sys.executable, "-m", "benchmarks.gpu.ranks_job", str(SIZES.parameters), *arguments]
    return subprocess.run(
        mpirun_command(mpirun, LaunchOptions(ranks=2), job),
        cwd=Path(__file__).resolve().parents[2],
        env=job_environment(mpirun.environment),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def nccl() -> dict[str, float]:
    """Let NCCL carry an array of one rank, abort it, and see that it says so from then on."""
    import numpy as np

    from benchmarks.gpu.timing import median_us

    xp = namespace_of("cuda:0")
    problem = nccl_problem(xp)
    if problem:
        raise LeftOutError(problem)
    carrier = Nccl(SingleProcess(), "cuda:0")
    array = to_device(np.ones(SIZES.parameters, np.float32), "cuda:0")
    found = {"all_reduce of one rank ms": median_us(lambda: carrier.all_reduce(array)) / 1e3}
    carrier.abort()
    try:
        carrier.all_reduce(array)
    except TrainingError:
        return found
    raise AssertionError("an aborted communicator carries arrays")
