"""The folder of a job: where its MPI may write, and what ties everything of the job together.

Its path is the mark in the environment of the job's processes. The launcher holds a lock on it,
which the kernel releases when the launcher dies, however it dies: a folder without an owner is what
a killed launcher has left. A guard, a process of its own, sees the death and clears up at once; if
it was killed too, the next launch does it.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from distgrad.launcher import leftovers
from distgrad.launcher.errors import LaunchError
from distgrad.launcher.leftovers import FOLDER_PREFIX, MARK, clear


class JobFolder:
    """A job's folder, from before its start until nothing of it is left. A context manager.

    Attributes:
        path: the folder, new and this user's alone.
        ended_well: set by who watches over the job: nothing needs to be looked for in the end.

    Raises:
        LaunchError: on entry, if no folder can be made.

    Example:
        >>> with JobFolder() as folder:
        ...     print(folder.path.is_dir())
        True
        >>> folder.path.exists()
        False
    """

    path: Path
    ended_well = False

    def __enter__(self) -> Self:
        """Clears up what killed launchers have left; makes the folder and sets up the guard."""
        try:
            for left in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
                _clear_if_abandoned(left)
            self.path, self._lock = _new_folder()
        except OSError as error:
            raise LaunchError(
                f"cannot make a folder for the job's temporary files: {error}. "
                "Set TMPDIR to a folder that can be written"
            ) from error
        # In a session of its own, so that what ends the launcher's process group passes it by.
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", leftovers.__file__, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Removes the folder, and what else a job that did not end well has left."""
        if self.ended_well:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            clear(self.path)
        self._guard.kill()
        self._guard.communicate()
        os.close(self._lock)

    @property
    def mark(self) -> str:
        """The entry of the environment that marks the processes of the job."""
        return f"{MARK}={self.path}"


def _new_folder() -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{int(time.time())}-"))
        # Another launch may take it for abandoned before it is locked.
        with suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.is_dir():
                return path, lock
            os.close(lock)


def _is_guarded(path: Path) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")[:-1]
            if words[-2:] == [os.fsencode(leftovers.__file__), os.fsencode(path)]:
                return True
    return False


def _clear_if_abandoned(path: Path) -> None:
    with suppress(OSError):  # another user's, or gone in the meantime
        lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            if os.fstat(lock).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # A second witness, because some file systems grant every lock.
                if not _is_guarded(path):
                    clear(path)
        finally:
            os.close(lock)
