"""The choice of kernels, the same on all ranks, of which only one on each host compiles."""

from distgrad.backend.kernels import (
    kernels_in_use,
    kernels_to_be_compiled,
    use_kernels,
    wanted_kernels,
)
from distgrad.distributed.agreement import check_same
from distgrad.distributed.communicator import Communicator
from distgrad.errors import UsageError

__all__ = ["choose_kernels"]


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
        UsageError: On every rank, if a rank cannot choose so, or chooses other kernels than rank 0.
    """
    try:
        wanted, problem = wanted_kernels(choice), None
    except UsageError as error:
        wanted, problem = "numpy", str(error)
    told = comm.all_gather_object((comm.host, problem, kernels_to_be_compiled(wanted)))
    for rank, (host, problem, _) in enumerate(told):
        if problem:
            raise UsageError(f"rank {rank} ({host}): {problem}" if comm.size > 1 else problem)
    if any(to_be_compiled for *_, to_be_compiled in told):
        if [host for host, *_ in told].index(comm.host) == comm.rank:
            use_kernels(wanted)
        comm.barrier()
    use_kernels(wanted)
    check_same(comm, "the choice of kernels", kernels_in_use())
    return kernels_in_use()
