"""The folder of a run: what it is, what it did and what came out, as files."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distgrad.errors import UsageError
from distgrad.training.journal import Journal
from distgrad.training.run_lock import RunLock

__all__ = ["RunFolder", "cannot_be_written", "check_run_folder"]


def cannot_be_written(error: OSError) -> str:
    """Return what there is to say when a file of the folder cannot be written."""
    return f"{error.filename} cannot be written ({error.strerror}); mend that"


def check_run_folder(path: Path, resume: bool = False) -> None:
    """Refuse a folder in which a run cannot be put, before any work is done.

    Args:
        path: The folder.
        resume: Whether it may be there already, as the folder of a run.

    Raises:
        UsageError: If the folder exists, or is no run's, or if it could not be made.
    """
    if path.exists() or path.is_symlink():
        if not resume:
            raise _exists(path)
        _check_is_a_runs(path)
        return
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    try:
        # Asked by doing it: what the mode bits say binds neither root nor a read-only mount.
        with tempfile.TemporaryDirectory(prefix=".distgrad-", dir=parent):
            pass
    except OSError as error:
        raise _cannot_be_made(path, error) from error


class RunFolder:
    """A folder that one process fills; others are kept out until it is closed.

    Every file appears at once and whole, or not at all, but for the metrics and the journal, which
    grow by lines.

    Args:
        path: Must not exist, unless the run is resumed; folders above it are made.
        resume: Whether it may be the folder of a run. If there is none, one is made.

    Attributes:
        path: Where it is.
        journal: What happened to the run.
        is_new: Whether it was made here.
        resume: Whether it might have been there.

    Raises:
        UsageError: If the folder exists, is no run's, is in use, or cannot be made.
    """

    def __init__(self, path: Path, resume: bool = False) -> None:
        self.path = path
        self.resume = resume
        self.journal = Journal(path / "journal.jsonl")
        self.is_new = not (resume and path.exists())
        try:
            if self.is_new:
                path.mkdir(parents=True)
            else:
                _check_is_a_runs(path)
            self._lock = RunLock(path)
        except FileExistsError as error:
            if path.is_dir():
                raise _exists(path) from error
            raise _cannot_be_made(path, error) from error
        except OSError as error:
            problem = _cannot_be_made if self.is_new else _cannot_be_used
            raise problem(path, error) from error
        self._metrics: int | None = None

    def close(self) -> None:
        """Leave the folder to others."""
        if self._metrics is not None:
            os.close(self._metrics)
            self._metrics = None
        self._lock.release()

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Add a line to ``metrics.jsonl``, for others to read at once.

        Raises:
            OSError: If it cannot be written.
        """
        if self._metrics is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._metrics = os.open(self.path / "metrics.jsonl", flags, 0o666)
        line = memoryview((json.dumps(row, allow_nan=False) + "\n").encode())
        while line:
            line = line[os.write(self._metrics, line) :]

    def sync_rows(self) -> None:
        """See all rows to the disk."""
        if self._metrics is not None:
            os.fsync(self._metrics)

    def cut_rows(self, step: int) -> None:
        """Keep the rows of the steps before ``step`` only; call it before a row is added.

        A row that a crash has cut short goes too.
        """
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return
        kept = [line for line in path.read_bytes().splitlines() if _step_of(line) < step]
        self.write("metrics.jsonl", b"".join(line + b"\n" for line in kept))

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a JSON file."""
        self.write(name, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())

    def read_json(self, name: str) -> dict[str, Any]:
        """Return what a JSON file says; nothing if it is not there or damaged."""
        try:
            content = json.loads((self.path / name).read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def write(self, name: str, content: bytes) -> None:
        """Write a file under another name, see it to the disk, and rename it.

        Raises:
            OSError: If that fails, with the name of the file.
        """
        target, draft = self.path / name, self.path / f".{name}.draft"
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        except BaseException as error:
            draft.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.filename is None:
                error.filename = str(target)
            raise

    def remove(self, *names: str) -> None:
        """Remove files, where they are."""
        for name in names:
            (self.path / name).unlink(missing_ok=True)


def _step_of(row: bytes) -> float:
    """Return the step that a line is of; infinity for none."""
    try:
        return int(json.loads(row)["step"])
    except (ValueError, TypeError, LookupError):
        return float("inf")


def _check_is_a_runs(path: Path) -> None:
    """Refuse a folder of something else; one in which a run has only just begun is empty."""
    if not path.is_dir():
        raise UsageError(f"the run folder {path} is not a folder; give another with --run-dir")
    if (path / "config.toml").exists():
        return
    if any(not entry.name.startswith(".") for entry in path.iterdir()):
        raise UsageError(
            f"{path} is not the folder of a run: it has no config.toml; give that of a run with "
            "--run-dir, or leave --resume out to begin one"
        )


def _exists(path: Path) -> UsageError:
    return UsageError(
        f"the run folder {path} exists already; go on with the run in it with --resume, give "
        "another with --run-dir, or remove it"
    )


def _cannot_be_made(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"the run folder {path} cannot be made ({error.strerror}); give another with --run-dir"
    )


def _cannot_be_used(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"the run folder {path} cannot be used ({error.strerror}); make it readable and writable"
    )
