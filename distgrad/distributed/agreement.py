"""Do all ranks hold the same model? Asked once, before the first step."""

from collections.abc import Sequence

from distgrad.backend.dtypes import DType
from distgrad.distributed.communicator import Communicator
from distgrad.errors import UsageError

__all__ = ["check_same", "check_same_parameters"]

Described = Sequence[tuple[str, tuple[int, ...], DType]]


def check_same_parameters(comm: Communicator, described: Described) -> None:
    """Raise on every rank if names, shapes or data types of the parameters differ between ranks.

    Args:
        comm: The ranks.
        described: (name, shape, data type) of each parameter and buffer, in order.

    Raises:
        UsageError: Naming the first difference, and the ranks and hosts on which it is.
    """
    own = [f"{name!r} of shape {shape} and type {dtype}" for name, shape, dtype in described]
    everyone = comm.all_gather_object((comm.host, own))
    first_host, first = everyone[0]
    for rank, (host, other) in enumerate(everyone):
        if other == first:
            continue
        place = next(
            (i for i, (a, b) in enumerate(zip(first, other, strict=False)) if a != b),
            min(len(first), len(other)),
        )
        raise UsageError(
            f"the model differs between ranks: entry {place} is {_entry(first, place)} on rank 0 "
            f"({first_host}) but {_entry(other, place)} on rank {rank} ({host}); build the same "
            "model on every rank"
        )


def _entry(entries: Sequence[str], place: int) -> str:
    if place >= len(entries):
        return f"missing (the model has {len(entries)} entries)"
    return entries[place]


def check_same(comm: Communicator, name: str, value: object) -> None:
    """Raise on every rank if a setting, any picklable value, differs between ranks.

    Raises:
        UsageError: Naming the setting, the ranks, their hosts and values.
    """
    everyone = comm.all_gather_object((comm.host, value))
    first_host, first = everyone[0]
    for rank, (host, other) in enumerate(everyone):
        if other != first:
            raise UsageError(
                f"{name} differs between ranks: {first!r} on rank 0 ({first_host}) but {other!r} "
                f"on rank {rank} ({host}); give every rank the same"
            )
