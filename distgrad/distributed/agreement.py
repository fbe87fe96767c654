"""Do all ranks hold the same model? Asked once, before the first step."""

from collections.abc import Mapping, Sequence

from distgrad.backend.dtypes import DType
from distgrad.distributed.communicator import Communicator
from distgrad.errors import UsageError

__all__ = ["check_same", "check_same_items", "check_same_parameters", "differences"]

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
    for difference in differences(comm, {name: value}):
        raise UsageError(f"{difference}; give every rank the same")


def check_same_items(
    comm: Communicator, what: str, items: Mapping[str, object], remedy: str
) -> None:
    """Raise on every rank if one of several things differs between ranks.

    Args:
        comm: The ranks.
        what: All of them together, such as "the configuration".
        items: Each by its name.
        remedy: What to do about it.

    Raises:
        UsageError: Naming the first that differs, the ranks, their hosts and values.
    """
    for difference in differences(comm, items):
        raise UsageError(f"{what}: {difference}; {remedy}")


def differences(comm: Communicator, items: Mapping[str, object]) -> list[str]:
    """Return a line for each thing that is not the same on all ranks, the same on every rank."""
    everyone = comm.all_gather_object((comm.host, dict(items)))
    first_host, first = everyone[0]
    lines = []
    for name in dict.fromkeys(key for _, own in everyone for key in own):
        for rank, (host, other) in enumerate(everyone):
            if other.get(name) != first.get(name):
                lines.append(
                    f"{name} differs between ranks: {first.get(name)!r} on rank 0 ({first_host}) "
                    f"but {other.get(name)!r} on rank {rank} ({host})"
                )
                break
    return lines
