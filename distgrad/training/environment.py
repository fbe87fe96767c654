"""What a run ran on: everything that its bits may depend on, and where its ranks were."""

import platform
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from distgrad._version import __version__
from distgrad.backend.threads import blas_libraries, numpy_blas
from distgrad.distributed import Communicator

__all__ = ["bit_relevant", "describe_environment"]


def describe_environment(comm: Communicator) -> dict[str, Any]:
    """Return the software and hardware of this rank, and the hosts of all; all ranks call it."""
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
        "mpi": comm.library,
        "hosts": comm.all_gather_object(comm.host),
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
    }
    return {name: str(value or "unknown") for name, value in told.items()}


def _words(names: Any) -> str:
    return ", ".join(names or ())
