"""A program that every rank of a job runs to find out how the job works.

``mpirun -n 2 python -m distgrad.distributed.probe``: each rank prints a JSON object, on one line,
at each ``stage``: ``started`` before MPI is loaded, ``connected`` when it has found the others,
``measured`` with what it knows of itself and of the messages between it and others; or ``failed``,
with the error. Where a job hangs, the stages tell how far each rank has come.
"""

import json
import os
import platform
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from distgrad._version import __version__
from distgrad.backend.threads import blas_libraries, numpy_blas
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.connect import connect
from distgrad.distributed.launch_environment import launched_rank, launched_size

__all__ = [
    "choose_peers",
    "describe_placement",
    "describe_software",
    "main",
    "measure_clock",
    "measure_messages",
]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_LATENCY_ROUNDS = 200
_CLOCK_ROUNDS = 20
_BANDWIDTH_ROUNDS = 5
_BANDWIDTH_SIZES = (1 << 16, 1 << 20, 1 << 23)
"""Bytes."""


def main() -> None:
    """Print what this rank is and measures; an error is printed too, and raised."""
    _report("started", rank=launched_rank(), launched_size=launched_size())
    threads_before = blas_libraries()
    comm = None
    try:
        comm = connect(kernels="numpy")
        _report("connected", rank=comm.rank, size=comm.size, mpi=comm.library)
        _report("measured", threads_before=threads_before, **_measure(comm))
        comm.barrier()
    except Exception as error:
        reason = f"{type(error).__name__}: {'; '.join(str(error).strip().splitlines())}"
        _report("failed", rank=launched_rank(), connected=comm is not None, error=reason)
        raise


def _measure(comm: Communicator) -> dict[str, Any]:
    hosts = comm.all_gather_object(comm.host)
    clock = measure_clock(comm)
    messages = [measure_messages(comm, peer) for peer in choose_peers(hosts)]
    return {
        "rank": comm.rank,
        "size": comm.size,
        "launched_size": launched_size(),
        "threads": blas_libraries(),
        "thread_settings": {name: os.environ.get(name) for name in _THREADS},
        **describe_placement(),
        "software": describe_software(comm),
        "clock": clock,
        "messages": [message for message in messages if message],
    }


def describe_placement() -> dict[str, Any]:
    """Return the CPUs that this rank may run on, their cores, and how many the machine has."""
    cpus = (
        sorted(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else list(range(os.cpu_count() or 1))
    )
    everywhere = range(os.cpu_count() or 1)
    return {
        "cpus": cpus,
        "cores": sorted({_core_of(cpu) for cpu in cpus}),
        "cores_of_host": len({_core_of(cpu) for cpu in everywhere}),
    }


def describe_software(comm: Communicator) -> dict[str, str]:
    """Return what must be alike on all ranks for their results to be."""
    config: Any = np.show_config(mode="dicts")
    return {
        "distgrad": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "BLAS": numpy_blas(),
        "NumPy's SIMD extensions": ", ".join(config["SIMD Extensions"].get("found", ())),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "MPI": comm.library,
    }


def choose_peers(hosts: Sequence[str]) -> list[int]:
    """Choose the ranks with which rank 0 exchanges messages: the first one of each host.

    Example:
        >>> choose_peers(["a", "a", "a", "b", "b", "c"])
        [1, 3, 5]
    """
    seen: set[str] = set()
    return [
        rank
        for rank, host in enumerate(hosts)
        if rank and not (host in seen or seen.add(host))  # type: ignore[func-returns-value]
    ]


def measure_clock(comm: Communicator) -> dict[str, float]:
    """Return how many seconds this rank's wall clock is ahead of rank 0's, and how surely.

    The time that rank 0 reads between a question and the answer is that of the moment halfway; the
    quickest of several answers bounds the error best.
    """
    best = {"offset": 0.0, "uncertainty": 0.0 if comm.rank == 0 else float("inf")}
    for peer in range(1, comm.size):
        for _ in range(_CLOCK_ROUNDS):
            if comm.rank == 0:
                _receive(comm, peer, np.empty(1))
                _send(comm, peer, np.array([time.time()]))
            elif comm.rank == peer:
                answer = np.empty(1)
                asked = time.time()
                _send(comm, 0, np.zeros(1))
                _receive(comm, 0, answer)
                uncertainty = (time.time() - asked) / 2
                if uncertainty < best["uncertainty"]:
                    offset = asked + uncertainty - float(answer[0])
                    best = {"offset": offset, "uncertainty": uncertainty}
    return best


def measure_messages(comm: Communicator, peer: int) -> dict[str, Any] | None:
    """Return latency and bandwidth between rank 0 and ``peer``; all ranks call it, rank 0 is told.

    Both are of the quickest of several round trips, by half of it: the latency in microseconds for
    8 bytes, the bandwidth in 1e9 bytes a second for each size in bytes.
    """
    comm.barrier()
    latency = _one_way(comm, peer, 8, _LATENCY_ROUNDS)
    bandwidth = {
        str(size): size / _one_way(comm, peer, size, _BANDWIDTH_ROUNDS) / 1e9
        for size in _BANDWIDTH_SIZES
    }
    if comm.rank != 0:
        return None
    return {"peer": peer, "latency_us": latency * 1e6, "bandwidth_gb_s": bandwidth}


def _one_way(comm: Communicator, peer: int, size: int, rounds: int) -> float:
    """Seconds; without meaning on ranks that take no part."""
    message = np.zeros(size, np.uint8)
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        if comm.rank == 0:
            _send(comm, peer, message)
            _receive(comm, peer, message)
        elif comm.rank == peer:
            _receive(comm, 0, message)
            _send(comm, 0, message)
        best = min(best, (time.perf_counter() - began) / 2)
    return best


def _send(comm: Communicator, peer: int, array: "np.ndarray[Any, Any]") -> None:
    comm.exchange({peer: [array]}, {})


def _receive(comm: Communicator, peer: int, array: "np.ndarray[Any, Any]") -> None:
    comm.exchange({}, {peer: [array]})


def _core_of(cpu: int) -> str:
    """The hardware threads of one core name the same threads."""
    try:
        return (
            Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
            .read_text()
            .strip()
        )
    except OSError:
        return str(cpu)


def _report(stage: str, **values: Any) -> None:
    report: Mapping[str, Any] = {"stage": stage, "host": socket.gethostname(), **values}
    # One write, so that a launcher does not cut it.
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
