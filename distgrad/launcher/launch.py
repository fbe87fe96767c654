"""The launch itself: ask, find, write the command, supervise."""

import os
import shlex
from collections.abc import Sequence

from distgrad.launcher.command_line import exceeds_cores, mpirun_command, usable_cores
from distgrad.launcher.errors import LaunchError
from distgrad.launcher.job_folder import JobFolder
from distgrad.launcher.mpi_runtime import chosen_library, job_environment
from distgrad.launcher.mpirun import Mpirun, find_mpirun
from distgrad.launcher.options import LaunchOptions
from distgrad.launcher.output import tag_pattern
from distgrad.launcher.preflight.quick import check_launch
from distgrad.launcher.supervision import say, supervise


def launch(command: Sequence[str], options: LaunchOptions) -> int:
    """Runs `command` on ``options.ranks`` ranks and waits for its end.

    The ranks' lines are tagged ``[rank R]``; those of the launcher itself go to standard error.

    Args:
        command: what each rank runs, such as ``[sys.executable, "-m", "distgrad", "train", ...]``.
        options: how many ranks, where, and under which MPI.

    Returns:
        The exit status to pass on: that of the rank that failed; 4 where a signal ended a rank,
        or mpirun; 130 after SIGINT, SIGTERM or SIGHUP, which ask the ranks to stop; otherwise 0.

    Raises:
        LaunchError: if mpi4py, its MPI library or the mpirun of that library is missing, if they
            do not belong together, if this process is itself a rank of a job, or if this machine
            lacks what the ranks cannot do without (`preflight.quick`).
    """
    refuse_inside_a_job()
    mpirun = _find(options)
    if exceeds_cores(options):
        say(
            f"{options.ranks} ranks on {usable_cores()} usable cores: the ranks share cores "
            "(oversubscribed), which is slower than one rank a core"
        )
    check_launch(mpirun.mpi.vendor, options)
    with JobFolder() as folder:
        return supervise(
            mpirun_command(mpirun, options, command, folder.path),
            tag_pattern(mpirun.mpi.vendor, mpirun.mpi.version),
            folder,
            options.ranks,
            job_environment(mpirun.environment),
            options.stop_within,
        )


def preview(command: Sequence[str], options: LaunchOptions) -> str:
    """Returns the command line that `launch` would run, quoted for a shell.

    Raises:
        LaunchError: as `launch` does.
    """
    mpirun = _find(options)
    words = mpirun_command(mpirun, options, command)
    changes = [f"{name}={value}" for name, value in mpirun.environment.items()]
    return shlex.join(["env", *changes, *words] if changes else words)


def _find(options: LaunchOptions) -> Mpirun:
    return find_mpirun(chosen_library(options.mpi))


def refuse_inside_a_job() -> None:
    """Started as one of N ranks, the launcher would start N jobs, or fail without a clear word."""
    for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE"):
        size = os.environ.get(name, "1")
        if size.isdigit() and int(size) > 1:
            raise LaunchError(
                f"this is already one of {size} ranks ({name}={size}), and distgrad launch starts "
                "the ranks itself. Use it alone, or mpirun with the command of one rank: "
                f"mpirun -n {size} python -m distgrad train ..."
            )
