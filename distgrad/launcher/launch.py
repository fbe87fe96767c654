"""The launch itself: ask, find, write the command, supervise."""

import os
import shlex
from collections.abc import Sequence

from distgrad.launcher.command_line import exceeds_cores, mpirun_command, usable_cores
from distgrad.launcher.errors import LaunchError
from distgrad.launcher.mpi_runtime import loaded_library, require
from distgrad.launcher.mpirun import Mpirun, find_mpirun
from distgrad.launcher.options import LaunchOptions
from distgrad.launcher.output import tag_pattern
from distgrad.launcher.supervision import say, supervise


def launch(command: Sequence[str], options: LaunchOptions) -> int:
    """Runs `command` on ``options.ranks`` ranks and waits for its end.

    The ranks' lines are tagged ``[rank R]``; those of the launcher itself go to standard error.

    Args:
        command: what each rank runs, such as ``[sys.executable, "-m", "distgrad", "train", ...]``.
        options: how many ranks, where, and under which MPI.

    Returns:
        The exit status to pass on: that of the rank that failed, 128 + N where signal N ended a
        rank, 130 after SIGINT, SIGTERM or SIGHUP, otherwise 0.

    Raises:
        LaunchError: if mpi4py, its MPI library or the mpirun of that library is missing, if they
            do not belong together, or if this process is itself a rank of a job.
    """
    _refuse_inside_a_job()
    mpirun = _find(options)
    if exceeds_cores(options):
        say(
            f"{options.ranks} ranks on {usable_cores()} usable cores: the ranks share cores "
            "(oversubscribed), which is slower than one rank a core"
        )
    pattern = tag_pattern(mpirun.mpi.vendor, mpirun.mpi.version)
    return supervise(mpirun_command(mpirun, options, command), pattern)


def preview(command: Sequence[str], options: LaunchOptions) -> str:
    """Returns the command line that `launch` would run, quoted for a shell.

    Raises:
        LaunchError: as `launch` does.
    """
    return shlex.join(mpirun_command(_find(options), options, command))


def _find(options: LaunchOptions) -> Mpirun:
    library = loaded_library()
    require(options.mpi, library)
    return find_mpirun(library)


def _refuse_inside_a_job() -> None:
    """Started as one of N ranks, the launcher would start N jobs, or fail without a clear word."""
    for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE"):
        size = os.environ.get(name, "1")
        if size.isdigit() and int(size) > 1:
            raise LaunchError(
                f"this is already one of {size} ranks ({name}={size}), and distgrad launch starts "
                "the ranks itself. Use it alone, or mpirun with the command of one rank: "
                f"mpirun -n {size} python -m distgrad train ..."
            )
