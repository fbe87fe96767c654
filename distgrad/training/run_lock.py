"""The lock of a run's folder: one process at a time fills it."""

import errno
import fcntl
import json
import os
import socket
import time
from pathlib import Path

from distgrad.errors import UsageError

__all__ = ["RunLock"]

PATIENCE = 10.0
"""Seconds for a run that is ending, or was killed, to be gone."""

_INTERVAL = 0.1

_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


class RunLock:
    """Holds a folder until it is released or the process ends, however it ends.

    The kernel keeps the lock (``flock``), so that none is left behind. On a file system that has
    no locks, it holds nothing.

    Args:
        folder: Gets a file ``.lock``, which says who holds it.

    Raises:
        UsageError: If another process keeps it.
        OSError: If the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / ".lock"
        self._file = path.open("a+", encoding="utf-8")
        try:
            if not self._acquired():
                self._file.seek(0)
                raise UsageError(_in_use(folder, self._file.read()))
            self._file.truncate(0)
            json.dump({"pid": os.getpid(), "host": socket.gethostname()}, self._file)
            self._file.flush()
        except BaseException:
            self._file.close()
            raise

    def release(self) -> None:
        """Let others have the folder."""
        self._file.close()

    def _acquired(self) -> bool:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(_INTERVAL)
            except OSError as error:
                if error.errno not in _WITHOUT_LOCKS:
                    raise
                return True
            else:
                return True


def _in_use(folder: Path, said: str) -> str:
    try:
        holder = json.loads(said)
        who = f"process {holder['pid']} on {holder['host']}"
    except (ValueError, LookupError, TypeError):
        who = "another process"
    return (
        f"the run folder {folder} is in use by {who}; wait for its end, stop it, or give another "
        "folder with --run-dir"
    )
