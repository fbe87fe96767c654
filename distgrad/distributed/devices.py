"""Which GPU each rank computes on."""

from collections import Counter
from collections.abc import Sequence

from distgrad.backend.devices import device_count, read_device, set_device
from distgrad.distributed.agreement import check_same
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.launch_environment import launched_local_rank
from distgrad.distributed.problems import shown_to_all
from distgrad.errors import DeviceError, UsageError

__all__ = ["choose_device", "device_sharing"]


def choose_device(comm: Communicator, device: str) -> str:
    """Choose where this rank computes, and let it compute there from now on; all ranks call it.

    The ranks of a machine take its GPUs in turn: the n-th rank takes the n-th GPU, and begins anew
    behind the last. What the process sees counts (``CUDA_VISIBLE_DEVICES``). Call it before the
    first array is made on a GPU.

    Args:
        comm: The ranks.
        device: ``"cpu"``; ``"cuda"``; or ``"cuda:N"`` for one and the same number on all ranks.

    Returns:
        ``"cpu"``, or ``"cuda:N"`` with the number of this rank's GPU.

    Raises:
        UsageError: On every rank, if there is no such device on one of them, or ranks ask for
            different kinds.

    Example:
        >>> from distgrad.distributed import SingleProcess
        >>> choose_device(SingleProcess(), "cpu")
        'cpu'
    """
    check_same(comm, "the kind of device", device.partition(":")[0])
    if device == "cpu":
        return device
    local = _local_rank(comm)
    mine, problem = "", None
    try:
        mine = _turn(device, local)
    except DeviceError as error:
        problem = error
    shown_to_all(comm, None, problem, UsageError)
    set_device(mine)
    return mine


def _turn(device: str, local: int) -> str:
    first = read_device(device)
    if ":" in device or first is None:
        return device
    return f"cuda:{local % device_count()}"


def _local_rank(comm: Communicator) -> int:
    """Return how many ranks before this one are on its machine."""
    told = comm.all_gather_object((comm.host, launched_local_rank()))
    own = told[comm.rank][1]
    if own is not None:
        return int(own)
    return sum(host == comm.host for host, _ in told[: comm.rank])


def device_sharing(places: Sequence[tuple[str, str]]) -> str | None:
    """Say which GPUs several ranks compute on; None if each rank has one of its own.

    Args:
        places: For each rank its host, and what tells the GPU from others there.

    Example:
        >>> device_sharing([("a", "0000:01:00.0"), ("a", "0000:02:00.0")])
        >>> device_sharing([("a", "0000:01:00.0"), ("a", "0000:01:00.0")])
        'ranks 0 and 1 share the GPU 0000:01:00.0 of a'
    """
    shared = [
        f"ranks {_listed([r for r, other in enumerate(places) if other == place])} share the GPU "
        f"{place[1]} of {place[0]}"
        for place, number in Counter(places).items()
        if number > 1
    ]
    return "; ".join(shared) or None


def _listed(ranks: Sequence[int]) -> str:
    *most, last = map(str, ranks)
    return f"{', '.join(most)} and {last}"
