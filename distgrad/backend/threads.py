"""The thread count of the BLAS libraries: it changes the bits of a product, so it is pinned."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["blas_libraries", "numpy_blas", "pin_blas_threads"]


def pin_blas_threads() -> None:
    """Set every BLAS library that is loaded to one thread, for the rest of the process.

    Ranks fill the cores; and a product split over threads adds up in another order.

    Raises:
        RuntimeError: If a library keeps more threads than one.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
    for name, threads in blas_libraries().items():
        if threads != 1:
            raise RuntimeError(
                f"{name} uses {threads} threads and cannot be set to 1; set OPENBLAS_NUM_THREADS=1 "
                "and MKL_NUM_THREADS=1 before Python starts"
            )


def blas_libraries() -> dict[str, int]:
    """Return the BLAS builds that are loaded, with architecture and version, and their threads."""
    libraries: dict[str, int] = {}
    for library in _loaded():
        # NumPy and SciPy each bring a copy of one build: the one with more threads counts.
        name = _name(library)
        libraries[name] = max(library["num_threads"], libraries.get(name, 0))
    return libraries


def numpy_blas() -> str:
    """Return the BLAS build that NumPy computes with, with architecture and version.

    Other packages may have loaded builds of their own, which no result depends on. Where NumPy has
    not brought one it takes the system's, and all that are loaded are named.
    """
    loaded = list(_loaded())
    place = str(Path(np.__file__).resolve().parent)  # beside it, wheels have numpy.libs
    own = [one for one in loaded if str(Path(one["filepath"]).resolve()).startswith(place)]
    return ", ".join(sorted({_name(library) for library in own or loaded}))


def _loaded() -> Iterator[dict[str, Any]]:
    from threadpoolctl import threadpool_info

    return (library for library in threadpool_info() if library["user_api"] == "blas")


def _name(library: Mapping[str, Any]) -> str:
    parts = [library.get(key) for key in ("internal_api", "version", "architecture")]
    return " ".join(str(part) for part in parts if part)
