"""What gradients take between two ranks, as a program that each rank runs; rank 0 prints JSON.

    mpirun -n 2 python -m benchmarks.gpu.ranks_job 124000000 5

The arguments are the number of parameters, and how often a time is taken; then perhaps "kill": the
last rank ends itself in the middle, while the others wait for it.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

from distgrad.backend.devices import namespace_of, synchronize_current
from distgrad.distributed import choose_device, connect
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.data_parallel.replica import one_leaf_a_rank
from distgrad.distributed.device import with_arrays_of
from distgrad.distributed.device.ipc_parts import share_windows
from distgrad.distributed.reduction import REDUCTIONS
from distgrad.flat import FlatLayout

__all__ = ["main"]

_FLOAT = 4
_PASSES = 3
"""How often a rank of two reads or writes as much memory as its gradients take: halves of two parts
read, a half of the sum written twice, a half read and written."""


def main(arguments: list[str]) -> None:
    """Measure, and print."""
    parameters, times = map(int, arguments[:2])
    comm = connect(kernels="numpy")
    device = choose_device(comm, "cuda")
    bytes_a_second = _copies(comm, device, parameters, times)
    limit = comm.size * _PASSES * _FLOAT * parameters / bytes_a_second["copy"] * 1e3
    found = {f"{name} TB/s": value / 1e12 for name, value in bytes_a_second.items()}
    if arguments[2:] == ["kill"]:
        _kill_last(comm, device, parameters)
    for transport in ("ipc", "staged"):
        found[f"{transport} ms"] = _reduction(comm, device, parameters, transport, times)
    found |= {"limit ms": limit, "ipc / limit": found["ipc ms"] / limit}
    if comm.rank == 0:
        print(json.dumps(found))


def _copies(comm: Communicator, device: str, elements: int, times: int) -> dict[str, float]:
    """Return the bytes a second, read and written, of a copy by one rank while the others wait."""
    xp = namespace_of(device)
    shared = share_windows(device, comm, [_FLOAT * elements] * comm.size)
    target = xp.empty(elements, "float32")
    found = {}
    for name, owner in (("copy", 0), ("ipc copy", comm.size - 1)):
        source = shared[owner].view("float32")

        def copy(source: Any = source) -> None:
            if comm.rank == 0:
                target[...] = source

        seconds = _seconds(comm, copy, times)
        found[name] = 2 * _FLOAT * elements / seconds
    return found


def _reduction(comm: Communicator, device: str, elements: int, transport: str, times: int) -> float:
    """Return the milliseconds in which the ranks' gradients become one sum on each of them."""
    xp = namespace_of(device)
    layout = FlatLayout.of([("parameters", (elements,))], "float32")
    out = xp.zeros(layout.size, layout.dtype)
    reduction = REDUCTIONS["tree"](layout, with_arrays_of(comm, out, transport), xp)
    gradient, leaves = xp.ones(elements, "float32"), one_leaf_a_rank(comm.size)

    def prepare() -> None:
        reduction.start(comm.size, leaves)
        reduction.open().write(0, gradient)
        reduction.close()
        reduction.load()

    seconds = _seconds(comm, lambda: reduction.finish(1.0, out, None), times, prepare)
    return seconds * 1e3


def _kill_last(comm: Communicator, device: str, elements: int) -> None:
    """Let the last rank end itself between two reductions."""
    _reduction(comm, device, elements, "ipc", 1)
    if comm.rank == comm.size - 1:
        os.kill(os.getpid(), signal.SIGKILL)
    _reduction(comm, device, elements, "ipc", 1)


def _seconds(
    comm: Communicator,
    work: Callable[[], None],
    times: int,
    prepare: Callable[[], None] = lambda: None,
) -> float:
    """Return the median time until all ranks have done a piece of work."""
    taken = []
    for _ in range(times + 1):
        prepare()
        synchronize_current()
        comm.barrier()
        start = perf_counter()
        work()
        synchronize_current()
        comm.barrier()
        taken.append(perf_counter() - start)
    return median(taken[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
