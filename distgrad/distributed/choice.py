"""What carries the gradients between ranks: the same on all of them, which agree on it."""

import logging
from collections.abc import Sequence

import numpy as np

from distgrad.backend import Namespace
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.device import DeviceCommunicator
from distgrad.distributed.device.choice import TRANSPORTS as OF_GPUS
from distgrad.distributed.device.ipc import Ipc
from distgrad.distributed.device.ipc_parts import IpcParts
from distgrad.distributed.few_parts import FewParts
from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.distributed.hosts import Hosts
from distgrad.distributed.messages import PartsInMessages
from distgrad.distributed.parts import Parts
from distgrad.distributed.shared_memory import NotSharedError
from distgrad.distributed.sliced_parts import SlicedParts
from distgrad.errors import UsageError
from distgrad.flat import BLOCK, FlatLayout

__all__ = ["TRANSPORTS", "choose_parts", "parts_in_messages"]

_log = logging.getLogger(__name__)

TRANSPORTS = ("auto", "shared", "mpi", *OF_GPUS)
"""What there is to choose from, on CPUs and on GPUs."""


def choose_parts(
    layout: FlatLayout, comm: Communicator, xp: Namespace, transport: str, *, gathers: bool
) -> Parts:
    """Return what carries the parts of a sum between ranks; all of them call it.

    Args:
        layout: Where the gradient of each parameter lies.
        comm: The ranks.
        xp: The array module of the parameters. Arrays of GPUs are in the hands of ``comm``.
        transport: "shared" memory, "mpi", or something else for the first that works; of few
            gradients on several machines that is "mpi".
        gathers: Whether all ranks get the whole sum, and not their slices only.

    Raises:
        UsageError: On every rank, if memory is to be shared and cannot be.
    """
    if isinstance(comm, DeviceCommunicator) and isinstance(comm.transport, Ipc):
        try:
            return IpcParts(layout, comm, comm.transport.device, gathers)
        except NotSharedError as error:
            return parts_in_messages(layout, comm, gathers, str(error), xp=xp)
    if xp is not np or comm.size == 1 or transport == "mpi":
        return PartsInMessages(layout, comm, xp, gathers)
    hosts = Hosts(comm.all_gather_object(comm.host), comm.rank)
    reason = _nothing_to_share(layout, comm, hosts)
    if reason is None and transport != "shared":
        reason = _better_sent(layout, hosts)
    try:
        if reason is None:
            return _shared(layout, comm, hosts, gathers)
    except NotSharedError as error:
        if transport != "shared":
            return parts_in_messages(layout, comm, gathers, str(error))
        reason = str(error)
    if transport == "shared":
        raise UsageError(
            f'distributed.transport = "shared" does not work: {reason}; use "mpi", or "auto"'
        )
    return PartsInMessages(layout, comm, xp, gathers, f"mpi ({reason})")


def parts_in_messages(
    layout: FlatLayout,
    comm: Communicator,
    gathers: bool,
    reason: str,
    buffers: Sequence[GradientBuffer] = (),
    xp: Namespace = np,
) -> Parts:
    """Return what takes the place of parts in shared memory, and log the reason.

    Args:
        layout: Where the gradient of each parameter lies.
        comm: The ranks.
        gathers: Whether all ranks get the whole sum.
        reason: Why memory is not shared.
        buffers: With parts, if there are some already.
        xp: The array module of the parameters. Default: NumPy.
    """
    if comm.rank == 0:
        _log.warning("gradients travel by MPI and not in shared memory: %s", reason)
    told = f"mpi (not shared: {reason})"
    return PartsInMessages(layout, comm, xp, gathers, told, buffers)


def _nothing_to_share(layout: FlatLayout, comm: Communicator, hosts: Hosts) -> str | None:
    if len(hosts.machines) == comm.size:
        return "each rank is on a machine of its own"
    return "there are no gradients" if layout.size == 0 else None


def _better_sent(layout: FlatLayout, hosts: Hosts) -> str | None:
    if len(hosts.machines) > 1 and layout.size <= BLOCK:
        return "the ranks are on several machines, and the gradients are few"
    return None


def _shared(layout: FlatLayout, comm: Communicator, hosts: Hosts, gathers: bool) -> Parts:
    """Return parts in shared memory.

    Of what has one owner, every rank makes the sum itself, if it sees all parts.
    """
    if layout.size > BLOCK or len(hosts.machines) > 1:
        return SlicedParts(layout, comm, hosts, gathers)
    return FewParts(layout, comm, gathers)
