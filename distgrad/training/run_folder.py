"""The folder of a run: what it is, what it did and what came out, as files."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distgrad.errors import UsageError

__all__ = ["RunFolder", "check_run_folder"]


def check_run_folder(path: Path) -> None:
    """Refuse a folder in which a run cannot be put, before any work is done.

    Raises:
        UsageError: If the folder exists, or if it could not be made.
    """
    if path.exists() or path.is_symlink():
        raise _exists(path)
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    try:
        # Asked by doing it: what the mode bits say binds neither root nor a read-only mount.
        with tempfile.TemporaryDirectory(prefix=".distgrad-", dir=parent):
            pass
    except OSError as error:
        raise _cannot_be_made(path, error) from error


class RunFolder:
    """A new folder, written by one process.

    Every file but the metrics appears at once and whole, or not at all.

    Args:
        path: Must not exist; folders above it are made.

    Raises:
        UsageError: If the folder exists or cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True)
        except FileExistsError as error:
            if path.is_dir():
                raise _exists(path) from error
            raise _cannot_be_made(path, error) from error
        except OSError as error:
            raise _cannot_be_made(path, error) from error

    @contextmanager
    def open_metrics(self) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """Open ``metrics.jsonl``; what the block gets adds a line, for others to read at once."""
        with (self.path / "metrics.jsonl").open("x", encoding="utf-8") as file:

            def add_row(row: Mapping[str, Any]) -> None:
                file.write(json.dumps(row, allow_nan=False) + "\n")
                file.flush()

            yield add_row

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a JSON file."""
        self.write(name, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())

    def write(self, name: str, content: bytes) -> None:
        """Write a file under another name, see it to the disk, and rename it."""
        target, draft = self.path / name, self.path / f".{name}.draft"
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def _exists(path: Path) -> UsageError:
    return UsageError(
        f"the run folder {path} exists already; give another with --run-dir, or remove it"
    )


def _cannot_be_made(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"the run folder {path} cannot be made ({error.strerror}); give another with --run-dir"
    )
