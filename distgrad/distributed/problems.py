"""What fails on one rank fails on all of them, before one waits for another."""

from typing import TypeVar

from distgrad.distributed.communicator import Communicator

__all__ = ["shown_to_all"]

T = TypeVar("T")


def shown_to_all(
    comm: Communicator, own: T, problem: Exception | None, error: type[Exception]
) -> list[T]:
    """Return what each rank shows; all ranks call it.

    Args:
        comm: The ranks.
        own: What this rank shows, any picklable value.
        problem: Why it has nothing to show; None if it has.
        error: What is raised where a rank has a problem.

    Raises:
        Exception: An ``error`` on every rank, with the first problem, and the rank and host of it.

    Example:
        >>> from distgrad.distributed import SingleProcess
        >>> shown_to_all(SingleProcess(), 3, None, ValueError)
        [3]
    """
    said = None if problem is None else str(problem)
    told = comm.all_gather_object((comm.host, own, said))
    for rank, (host, _, of_rank) in enumerate(told):
        if of_rank is not None:
            which = "" if comm.size == 1 else f"rank {rank} ({host}): "
            raise error(f"{which}{of_rank}") from problem
    return [shown for _, shown, _ in told]
