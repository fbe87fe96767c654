"""What a run ran on: everything that its bits may depend on, and where its ranks were."""

import platform
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from distgrad._version import __version__
from distgrad.backend.devices import describe_device
from distgrad.backend.kernels import kernels_in_use
from distgrad.backend.threads import blas_libraries, numpy_blas
from distgrad.distributed import Communicator
from distgrad.distributed.devices import device_sharing

__all__ = ["bit_relevant", "describe_environment", "described_devices"]


def describe_environment(
    comm: Communicator, device: str = "cpu", transport: str | None = None
) -> dict[str, Any]:
    """Return the software and hardware of this rank, and the hosts of all; all ranks call it.

    Args:
        comm: The ranks.
        device: Where this rank computes.
        transport: What carries gradients between the ranks.
    """
    hosts, devices = comm.all_gather_object(comm.host), []
    described = describe_device(device)
    if device != "cpu":
        devices = comm.all_gather_object({"device": device, **described})
    numpy_config: Any = np.show_config(mode="dicts")
    return {
        "distgrad": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "byte_order": sys.byteorder,
        "numpy": np.__version__,
        "numpy_simd": numpy_config["SIMD Extensions"],
        "numpy_blas": numpy_config["Build Dependencies"]["blas"],
        "blas": numpy_blas(),
        "blas_threads": blas_libraries(),
        "kernels": kernels_in_use(),
        "mpi": comm.library,
        "hosts": hosts,
        "device": ", ".join(_words_of_device(described)),
        "devices": devices,
        "sharing": device_sharing([(h, d["bus"]) for h, d in zip(hosts, devices, strict=False)]),
        "transport": transport,
    }


def bit_relevant(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return what the bits of a result depend on: the code that computes, and on what it does."""
    told = {
        "distgrad": environment.get("distgrad"),
        # From one minor version to the next, sums of Python's floats may change; not within one.
        "Python": ".".join(str(environment.get("python")).split(".")[:2]),
        "machine": environment.get("machine"),
        "libc": environment.get("libc"),
        "NumPy": environment.get("numpy"),
        "NumPy's SIMD extensions": _words((environment.get("numpy_simd") or {}).get("found")),
        "BLAS": environment.get("blas"),
        "kernels": environment.get("kernels"),
        "device": environment.get("device", "cpu"),
    }
    return {name: str(value or "unknown") for name, value in told.items()}


def described_devices(environment: Mapping[str, Any]) -> Iterator[str]:
    """Return what a run says of the GPUs that its ranks compute on, a line for each kind of thing.

    Example:
        >>> list(described_devices({"device": "NVIDIA H200, CuPy 14.2.0", "devices": [{}, {}],
        ...                         "sharing": "ranks 0 and 1 share the GPU 0000:01:00.0 of a",
        ...                         "transport": "staged"}))
        ['computes on NVIDIA H200, CuPy 14.2.0', 'ranks 0 and 1 share the GPU 0000:01:00.0 of a',
         'gradients travel by staged']
        >>> list(described_devices({"device": "cpu", "devices": []}))
        []
    """
    if environment["devices"]:
        yield f"computes on {environment['device']}"
        yield from filter(None, [environment["sharing"]])
        yield f"gradients travel by {environment['transport']}"


def _words_of_device(described: Mapping[str, str]) -> Iterator[str]:
    """Return what tells a device from one that computes otherwise: not where it is."""
    for what, value in described.items():
        if what != "bus":
            yield value if what == "name" else f"{what} {value}"


def _words(names: Any) -> str:
    return ", ".join(names or ())
