"""What a run ran on: everything that its bits may depend on, and where its ranks were."""

import platform
import sys
from typing import Any

import numpy as np

from distgrad._version import __version__
from distgrad.backend.threads import blas_libraries
from distgrad.distributed import Communicator

__all__ = ["describe_environment"]


def describe_environment(comm: Communicator) -> dict[str, Any]:
    """Return the software and hardware of this rank, and the hosts of all; all ranks call it."""
    numpy_config: Any = np.show_config(mode="dicts")
    return {
        "distgrad": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "byte_order": sys.byteorder,
        "numpy": np.__version__,
        "numpy_simd": numpy_config["SIMD Extensions"],
        "numpy_blas": numpy_config["Build Dependencies"]["blas"],
        "blas_threads": blas_libraries(),
        "mpi": comm.library,
        "hosts": comm.all_gather_object(comm.host),
    }
