"""What the program that started this process says of rank and size, before MPI is loaded."""

import os
from collections.abc import Mapping, MutableMapping

__all__ = ["launched_local_rank", "launched_rank", "launched_size", "leave_out_ofi"]

_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")
_LOCAL_RANKS = ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID")
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


def launched_local_rank(environment: Mapping[str, str] = os.environ) -> int | None:
    """Return this process's number among those of its machine, or None if no launcher says it.

    Example:
        >>> launched_local_rank({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_RANK": "1"})
        1
    """
    if launched_size(environment) is None:
        return None
    return _first_number(_LOCAL_RANKS, environment)


def leave_out_ofi(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let Open MPI start a second sooner, unless its transports are chosen already.

    Open MPI 5 tries its one-sided transport over libfabric on every machine, and where there is no
    such network it sleeps for a second to be rid of it. distgrad sends and receives only; over
    libfabric that goes by another component, which stays. Must be called before MPI is loaded.

    It is said by the environment variable ``OMPI_MCA_btl``, which goes before Open MPI's parameter
    files: a choice made there is made by this variable instead. Where it is set, as by mpirun's
    ``--mca btl`` or by oneself, it is left as it is.

    Example:
        >>> environment = {}
        >>> leave_out_ofi(environment)
        >>> environment
        {'OMPI_MCA_btl': '^ofi'}
    """
    environment.setdefault("OMPI_MCA_btl", "^ofi")


def _first_number(names: tuple[str, ...], environment: Mapping[str, str]) -> int | None:
    return next((int(environment[name]) for name in names if name in environment), None)
