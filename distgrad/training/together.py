"""What fails on one rank fails on all: the ranks hear of each other before they go on."""

from collections.abc import Callable
from typing import TypeVar

from distgrad.distributed import Communicator
from distgrad.errors import DistgradError, UsageError

__all__ = ["together"]

T = TypeVar("T")


def together(
    comm: Communicator, work: Callable[[], T], refusal: type[DistgradError] = UsageError
) -> T:
    """Do ``work`` on every rank and return its result, or raise on every rank what one found.

    Without this a rank that refuses its input would leave the others waiting for it.

    Args:
        comm: The ranks; all of them call this.
        work: Takes no part in the communication of the ranks.
        refusal: The type of error by which ``work`` refuses.

    Raises:
        DistgradError: A ``refusal``, if ``work`` raised one on some rank; the same on all ranks, so
            that one of them can say it for all.

    Example:
        >>> from distgrad.distributed import SingleProcess
        >>> together(SingleProcess(), lambda: 1 + 1)
        2
    """
    result, problem = None, None
    try:
        result = work()
    except refusal as error:
        problem = error
    told = comm.all_gather_object(problem and (comm.host, str(problem)))
    for rank, said in enumerate(told):
        if said:
            host, message = said
            # What rank 0 finds is most often the same on all ranks, or rank 0's alone to find.
            raise refusal(f"rank {rank} on {host}: {message}" if rank else message) from problem
    return result  # type: ignore[return-value]  # without a problem there is a result
