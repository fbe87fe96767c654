"""The memory allocator: large blocks that are freed stay with the process."""

import ctypes
import os

from distgrad.errors import UsageError

__all__ = ["tune_malloc"]

_MMAP_MAX = -4
_TRIM_THRESHOLD = -1
_TOP_PAD = -2

_MIB = 1 << 20

# A threshold for mappings of their own may be 32 MiB at most, which the gradient of one layer can
# exceed; so there are none at all.
_SETTINGS = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 1024 * _MIB), (_TOP_PAD, 64 * _MIB))


def tune_malloc() -> bool:
    """Let the allocator keep freed memory for the next step, for the rest of the process.

    By default glibc hands large blocks back to the kernel when they are freed, so that every
    temporary array of every step is mapped, zeroed and faulted in page by page anew. Here all
    blocks come from the heap, which grows by 64 MiB at a time and gives memory back only when more
    than 1 GiB at its end is free.

    It changes the whole process, so importing distgrad does not call it;
    `distgrad.distributed.connect` does. The environment variable ``DISTGRAD_MALLOC=system`` leaves
    the allocator as it is. On other systems than Linux with glibc nothing is done.

    Returns:
        Whether the settings were made.

    Raises:
        UsageError: If ``DISTGRAD_MALLOC`` is neither "system" nor "tuned", its default.

    Reference:
        mallopt(3): M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD.

    Example:
        >>> import os
        >>> os.environ["DISTGRAD_MALLOC"] = "system"
        >>> tune_malloc()
        False
        >>> del os.environ["DISTGRAD_MALLOC"]
    """
    choice = os.environ.get("DISTGRAD_MALLOC", "tuned")
    if choice not in ("system", "tuned"):
        raise UsageError(f"DISTGRAD_MALLOC must be 'system' or 'tuned' (default), got {choice!r}")
    if choice == "system" or not _is_glibc():
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all(mallopt(name, value) == 1 for name, value in _SETTINGS)


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):  # Windows, other Unix, a kernel that refuses
        return False
