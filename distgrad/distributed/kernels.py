"""The choice of kernels, the same on all ranks, of which only one on each host compiles."""

import logging
import os
from collections.abc import Callable
from typing import TypeVar, cast

from distgrad.backend.kernels import (
    kernels_in_use,
    kernels_to_be_compiled,
    use_kernels,
    wanted_kernels,
)
from distgrad.distributed.agreement import check_same
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.problems import shown_to_all
from distgrad.errors import UsageError

__all__ = ["choose_kernels"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


def choose_kernels(comm: Communicator, choice: str = "auto") -> str:
    """Choose on every rank the kernels that compute on the CPU; all ranks call it.

    What is not compiled yet is compiled by one rank of each host, while the others wait; they find
    it on the disk then.

    Args:
        comm: The ranks.
        choice: As `use_kernels` takes it.

    Returns:
        `kernels_in_use`.

    Raises:
        UsageError: On every rank, if a rank cannot choose so, cannot compile or load the kernels,
            or chooses other ones than rank 0.
    """
    told = _on_each_rank(comm, lambda: (comm.host, *_wanted(choice)))
    _, wanted, _ = told[comm.rank]
    if any(to_be_compiled for _, _, to_be_compiled in told):
        compiles = [host for host, *_ in told].index(comm.host) == comm.rank
        _on_each_rank(comm, lambda: use_kernels(wanted) if compiles else None)
    _on_each_rank(comm, lambda: use_kernels(wanted))
    check_same(comm, "the choice of kernels", kernels_in_use())
    return kernels_in_use()


def _wanted(choice: str) -> tuple[str, bool]:
    """Return what a choice means on this rank, and whether that is still to be compiled."""
    wanted = wanted_kernels(choice)
    try:
        return wanted, kernels_to_be_compiled(wanted)
    except ImportError as error:  # numba is there, and does not fit to the rest
        asked = os.environ.get("DISTGRAD_KERNELS", choice) if choice == "auto" else choice
        if asked == "numba":
            raise
        _log.warning("numba cannot be loaded, so NumPy's own functions compute (%s)", error)
        return "numpy", False


def _on_each_rank(comm: Communicator, work: Callable[[], T]) -> list[T]:
    """Do something on every rank; return the result of each.

    Raises:
        UsageError: On every rank, naming one on which it failed.
    """
    result: T | None = None
    problem: UsageError | None = None
    try:
        result = work()
    except UsageError as error:
        problem = error
    except Exception as error:
        problem = UsageError(
            f"the kernels cannot be compiled or loaded ({type(error).__name__}: {error}); choose "
            "'numpy', as by DISTGRAD_KERNELS=numpy"
        )
        problem.__cause__ = error
    told = shown_to_all(comm, result, problem, UsageError)
    return cast("list[T]", told)  # without a problem there are results
