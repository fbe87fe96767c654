"""Which transport carries arrays of GPUs: the same on all ranks, which agree on it.

The first that all ranks can use, in this order: NCCL, an MPI that was built with CUDA, memory that
the ranks of one machine see, and at last the machine's memory, which always works.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from distgrad.backend.copies import copies_of
from distgrad.backend.devices import describe_device, namespace_of
from distgrad.backend.nccl import nccl_problem
from distgrad.backend.windows import windows_problem
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.device.cuda_aware import CudaAware, cuda_aware_problem
from distgrad.distributed.device.ipc import Ipc
from distgrad.distributed.device.nccl import Nccl
from distgrad.distributed.device.staged import Staged
from distgrad.distributed.device.transport import Transport
from distgrad.distributed.devices import device_sharing
from distgrad.errors import DeviceError, UsageError

__all__ = ["TRANSPORTS", "Choice", "Facts", "choose_transport", "obstacle"]

TRANSPORTS = ("nccl", "cuda-aware", "ipc", "staged")
"""In the order in which they are tried."""

_MAKERS: Mapping[str, Callable[[Communicator, str], Transport]] = {
    "nccl": Nccl,
    "cuda-aware": lambda comm, _: CudaAware(comm),
    "ipc": Ipc,
    "staged": lambda comm, device: Staged(comm, copies_of(device)),
}


@dataclass(frozen=True)
class Facts:
    """What a rank says of itself.

    Attributes:
        host: The name of its machine.
        bus: What tells its GPU from others of the machine.
        problems: By transport, why it cannot be used here.
    """

    host: str
    bus: str
    problems: Mapping[str, str | None]


@dataclass(frozen=True)
class Choice:
    """A transport, its name, and why it is not one before it."""

    transport: Transport
    name: str
    reason: str


def choose_transport(comm: Communicator, device: str, wanted: str = "auto") -> Choice:
    """Choose what carries arrays of GPUs between the ranks; all of them call it.

    Args:
        comm: The ranks.
        device: Where this rank computes.
        wanted: One of `TRANSPORTS`, or "auto" for the first that works.

    Raises:
        UsageError: On every rank, if the one that is wanted does not work on one of them, or is
            not for GPUs.
    """
    if wanted not in ("auto", *TRANSPORTS):
        ways = ", ".join(f'"{name}"' for name in TRANSPORTS)
        raise UsageError(
            f'distributed.transport = "{wanted}" does not work: the model is on {device}, and this '
            f'carries nothing of GPUs; use {ways} or "auto"'
        )
    names = TRANSPORTS if wanted == "auto" else (wanted,)
    facts = comm.all_gather_object(_facts(comm, device, names))
    reasons: list[str] = []
    for name in names:
        transport, problem = None, obstacle(name, facts)
        if problem is None:
            transport, problem = _made(name, comm, device)
        if transport is not None:
            return Choice(transport, name, "; ".join(reasons))
        reasons.append(f"not {name}: {problem}")
    raise UsageError(
        f'distributed.transport = "{wanted}" does not work: {reasons[0].partition(": ")[2]}; use '
        'another, or "auto"'
    )


def obstacle(name: str, facts: Sequence[Facts]) -> str | None:
    """Return why a transport cannot be used, from what all ranks say; None if it may."""
    for rank, told in enumerate(facts):
        problem = told.problems.get(name)
        if problem:
            return f"rank {rank} ({told.host}): {problem}"
    if name == "nccl":
        return device_sharing([(told.host, told.bus) for told in facts])
    hosts = sorted({told.host for told in facts})
    if name == "ipc" and len(hosts) > 1:
        return f"the ranks are on {len(hosts)} machines, {hosts[0]} and others"
    return None


def _facts(comm: Communicator, device: str, names: Sequence[str]) -> Facts:
    xp = namespace_of(device)
    asked: Mapping[str, Callable[[], str | None]] = {
        "nccl": lambda: nccl_problem(xp),
        "cuda-aware": lambda: cuda_aware_problem(comm),
        "ipc": windows_problem,
        "staged": lambda: None,
    }
    bus = describe_device(device)["bus"]
    return Facts(comm.host, bus, {name: asked[name]() for name in names})


def _made(name: str, comm: Communicator, device: str) -> tuple[Transport | None, str | None]:
    """Return the transport, or why one of the ranks could not make it."""
    transport, problem = None, None
    try:
        transport = _MAKERS[name](comm, device)
    except DeviceError as error:
        problem = str(error)
    for rank, told in enumerate(comm.all_gather_object(problem)):
        if told:
            return None, f"rank {rank}: {told}"
    return transport, None
