"""What the program that started this process says of rank and size, before MPI is loaded."""

import os
from collections.abc import Mapping

__all__ = ["launched_rank", "launched_size"]

_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")
_RANKS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID")


def launched_size(environment: Mapping[str, str] = os.environ) -> int | None:
    """Return how many ranks the MPI launcher started, or None if none started this process.

    Example:
        >>> launched_size({"OMPI_COMM_WORLD_SIZE": "4"})
        4
        >>> launched_size({}) is None
        True
    """
    return _first_number(_SIZES, environment)


def launched_rank(environment: Mapping[str, str] = os.environ) -> int:
    """Return this process's rank among those that the launcher started; 0 without a launcher."""
    if launched_size(environment) is None:
        return 0
    return _first_number(_RANKS, environment) or 0


def _first_number(names: tuple[str, ...], environment: Mapping[str, str]) -> int | None:
    return next((int(environment[name]) for name in names if name in environment), None)
