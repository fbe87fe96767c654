"""The mpirun command line, in the dialect of each MPI.

Open MPI has one dialect; Hydra, the mpirun of MPICH and of Intel MPI, has another. Both say the
same: so many ranks, bound to no core, thread pools of one thread, output tagged with the rank. Only
the words differ.
"""

import os
import shutil
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

HYDRA_TAG = "[%r]<rank>: "
"""What Hydra prints before each piece of output; ``%r`` is the rank."""

_PASSED_ON = ("PYTHONPATH", "MPI4PY_LIBMPI", "MPI4PY_MPIABI")
"""What a rank on another host needs to find the same distgrad and the same MPI."""


def mpirun_command(
    mpirun: Mpirun, options: LaunchOptions, command: Sequence[str], folder: Path | None = None
) -> list[str]:
    """Writes the command line that runs `command` on ``options.ranks`` ranks.

    Args:
        mpirun: what starts them.
        options: how many ranks, and where.
        command: what each rank runs.
        folder: where the MPI shall put its temporary files on this machine, if it lets itself be
            told; None for the place of its own choice.
    """
    words = [str(mpirun.path), "-n", str(options.ranks)]
    if mpirun.mpi.vendor != "openmpi":
        return words + _hydra_options(mpirun.mpi.vendor, options) + list(command)
    words += _openmpi_options(mpirun, options)
    return words + _openmpi_folder(mpirun.mpi.version, options, folder) + list(command)


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


def _openmpi_options(mpirun: Mpirun, options: LaunchOptions) -> list[str]:
    version = mpirun.mpi.version
    words = ["--bind-to", "none"]
    words += ["--output", "tag"] if version >= (5,) else ["--tag-output"]
    if options.hostfile is not None:
        words += ["--hostfile", str(options.hostfile)]
        # Hydra takes the whole environment to other hosts, Open MPI only what it is told.
        for name in _PASSED_ON:
            if name in os.environ or name in mpirun.environment:
                words += ["-x", name]
    elif version < (5,) and not any(map(shutil.which, ("ssh", "rsh"))):
        words += ["--mca", "plm", "^rsh"]  # which gives up without, though nothing is far away
    if exceeds_cores(options):
        words += ["--oversubscribe"]
    if os.geteuid() == 0:
        words += ["--allow-run-as-root"]
    for name, value in RANK_ENVIRONMENT.items():
        words += ["-x", f"{name}={value}"]
    return words


def _openmpi_folder(
    version: tuple[int, ...], options: LaunchOptions, folder: Path | None
) -> list[str]:
    if folder is None:
        return []
    if version >= (5,):
        return ["--prtemca", "prte_local_tmpdir_base", str(folder)]
    # Open MPI 4 knows one for all hosts only.
    return ["--mca", "orte_tmpdir_base", str(folder)] if options.hostfile is None else []


def _hydra_options(vendor: str | None, options: LaunchOptions) -> list[str]:
    words = [] if vendor == "impi" else ["-bind-to", "none"]
    words += ["-prepend-pattern", HYDRA_TAG, "-print-all-exitcodes"]
    if options.hostfile is not None:
        words += ["-f", str(options.hostfile)]
    environment = RANK_ENVIRONMENT | ({"I_MPI_PIN": "0"} if vendor == "impi" else {})
    for name, value in environment.items():
        words += ["-genv", name, value]
    return words


def _core_of(cpu: int) -> str:
    topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return topology.read_text()
    except OSError:
        return str(cpu)
