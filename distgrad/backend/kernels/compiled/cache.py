"""Where compiled kernels are kept."""

import hashlib
import os
import sys
from functools import cache
from pathlib import Path

import llvmlite
import llvmlite.binding
import numba
import numpy as np

__all__ = ["cache_folder", "compiler", "is_complete", "mark_complete"]

_MARK = "complete"
"""A file that tells that all kernels were compiled."""


def compiler() -> str:
    """Return what the bits of this column depend on beside its code."""
    return f"numba {numba.__version__}, llvmlite {llvmlite.__version__}"


def is_complete() -> bool:
    """Tell whether all kernels were compiled."""
    folder = cache_folder()
    return folder is not None and (folder / _MARK).exists()


def mark_complete() -> None:
    """Remember that all kernels were compiled."""
    folder = cache_folder()
    if folder is not None:
        (folder / _MARK).touch()


@cache
def cache_folder() -> Path | None:
    """Return the user's folder for this version of the code and the compiler; None without one.

    Its name is a hash of both, because numba itself looks only at the time and size of the file
    that a function stands in, and not at those of the functions it calls; and of the path, by which
    numba finds a function. The package's own folder stays as it was installed.
    """
    try:
        folder = _user_caches() / "distgrad" / f"kernels-{_key()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no such place, or a user without a home
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


def _user_caches() -> Path:
    """The folder of the XDG base directory specification; numba's own variable comes first."""
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _key() -> str:
    processor = llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features()
    told = [compiler(), np.__version__, sys.version, __file__, *map(str, processor)]
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256("\0".join(told).encode())
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()
