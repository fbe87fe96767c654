"""What `distgrad replay` does in one process, or on each rank of a launch."""

import sys
from pathlib import Path

from distgrad.distributed import connect
from distgrad.errors import TrainingError
from distgrad.training.replay.parting import find_parting
from distgrad.training.replay.printing import print_json, print_parting, print_step
from distgrad.training.replay.step import replay_step
from distgrad.training.report import print_warning

__all__ = ["compare", "replay"]


def replay(run: Path, step: int, as_json: bool) -> int:
    """Make a step of a run again; rank 0 prints what comes of it.

    Returns:
        The exit status: 0 if it is what was recorded, or if nothing was, and else 3.

    Raises:
        UsageError: On every rank, if there is no such step, or if it cannot be made again.
        TrainingError: On every rank, if a step before it fails.
    """
    comm = connect(kernels="numpy")
    result = replay_step(run, step, comm)
    if comm.rank == 0:
        _print_warnings(result.warnings)
        if as_json:
            print_json(result, sys.stdout)
        else:
            print_step(result, run, sys.stdout)
    return 0 if result.reproduced else TrainingError.exit_status


def compare(run: Path, other: Path, as_json: bool) -> int:
    """Find where two runs part; rank 0 prints it.

    Returns:
        The exit status: 0 if they do not part, and else 3.

    Raises:
        UsageError: On every rank, if one of them cannot be made again.
        TrainingError: On every rank, if a step fails that the run has made.
    """
    comm = connect(kernels="numpy")
    result = find_parting(run, other, comm)
    if comm.rank == 0:
        _print_warnings(result.warnings)
        if as_json:
            print_json(result, sys.stdout)
        else:
            print_parting(result, run, other, sys.stdout)
    return 0 if result.step is None else TrainingError.exit_status


def _print_warnings(warnings: list[str]) -> None:
    for line in warnings:
        print_warning(line, sys.stderr)
