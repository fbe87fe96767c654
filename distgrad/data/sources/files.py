"""Files that a source reads: problems are told with the file's name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distgrad.errors import UsageError

__all__ = ["existing_file", "readable"]


def existing_file(path: str) -> Path:
    """Return the path of a file that exists; ``~`` stands for the home folder.

    Raises:
        UsageError: If there is none, or something else has that name.
    """
    file = Path(path).expanduser()
    if not file.exists():
        where = "" if file.is_absolute() else f" in {Path.cwd()}, where the run was started"
        raise UsageError(f"{path}: there is no such file{where}; correct the path")
    if file.is_dir():
        raise UsageError(f"{path}: is a folder, where a file is needed; name a file in it")
    return file


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Make what the operating system has against reading ``path`` a `UsageError`.

    Raises:
        UsageError: If an `OSError` was raised inside the block.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"{path}: cannot be read ({reason}); check the file") from error
