"""The mpirun command line, in the dialect of each MPI.

Both dialects say the same: so many ranks, bound to no core, thread pools of one thread, output
tagged with the rank. Only the words differ.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from distgrad.launcher.mpirun import Mpirun
from distgrad.launcher.options import LaunchOptions

RANK_ENVIRONMENT = {
    # The bits of a sum depend on the number of threads, and a pool sized for the whole machine in
    # every rank makes them fight. Read when NumPy loads, so it must stand before Python starts.
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    # What a rank printed before it was killed is wanted most of all.
    "PYTHONUNBUFFERED": "1",
    # Open MPI gives ranks a pseudo-terminal; the launcher, which reads it, cannot move a cursor.
    "TERM": "dumb",
}
"""Set for every rank before its Python starts."""

MPICH_TAG = "[%r]<rank>: "
"""What Hydra prints before each piece of output; ``%r`` is the rank."""


def mpirun_command(mpirun: Mpirun, options: LaunchOptions, command: Sequence[str]) -> list[str]:
    """Writes the command line that runs `command` on ``options.ranks`` ranks."""
    words = [str(mpirun.path), "-n", str(options.ranks)]
    if mpirun.mpi.vendor == "mpich":
        return words + _mpich_options(options) + list(command)
    return words + _openmpi_options(mpirun.mpi.version, options) + list(command)


def usable_cores() -> int:
    """Counts the physical cores that this process may run on.

    Hardware threads of one core count once: two ranks on them are no faster than one, and Open
    MPI's own count, against which it refuses more ranks, is of cores too.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    return len({_core_of(cpu) for cpu in os.sched_getaffinity(0)})


def exceeds_cores(options: LaunchOptions) -> bool:
    """Whether more ranks are asked for than this machine has cores; a hostfile counts its own."""
    return options.hostfile is None and options.ranks > usable_cores()


def _openmpi_options(version: tuple[int, ...], options: LaunchOptions) -> list[str]:
    words = ["--bind-to", "none"]
    words += ["--output", "tag"] if version >= (5,) else ["--tag-output"]
    if options.hostfile is not None:
        words += ["--hostfile", str(options.hostfile)]
        # Hydra takes the whole environment to other hosts, Open MPI only what it is told.
        if "PYTHONPATH" in os.environ:
            words += ["-x", "PYTHONPATH"]
    if exceeds_cores(options):
        words += ["--oversubscribe"]
    if os.geteuid() == 0:
        words += ["--allow-run-as-root"]
    for name, value in RANK_ENVIRONMENT.items():
        words += ["-x", f"{name}={value}"]
    return words


def _mpich_options(options: LaunchOptions) -> list[str]:
    words = ["-bind-to", "none", "-prepend-pattern", MPICH_TAG]
    if options.hostfile is not None:
        words += ["-f", str(options.hostfile)]
    for name, value in RANK_ENVIRONMENT.items():
        words += ["-genv", name, value]
    return words


def _core_of(cpu: int) -> str:
    topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return topology.read_text()
    except OSError:
        return str(cpu)
