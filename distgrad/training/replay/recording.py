"""What a run has left behind, as far as it takes to make its steps again."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distgrad.distributed import Communicator
from distgrad.errors import UsageError
from distgrad.training.checkpoint import Checkpoint, CheckpointError, CheckpointStore
from distgrad.training.config import Config
from distgrad.training.journal import Journal
from distgrad.training.loading import load_config, parse_config
from distgrad.training.sharing import share
from distgrad.training.together import together

__all__ = ["Recording"]

_FIELDS = ("epoch", "samples", "count", "loss", "lr", "grad_norm", "skipped")


@dataclass(frozen=True)
class Recording:
    """The files of a run; rank 0 has read them, and all ranks have what they say.

    Attributes:
        path: The folder of the run.
        document: Its configuration, as nested tables.
        rows: By step, what was recorded of it.
        summary: How it ended; nothing if it has not.
        environment: What it ran on, when it was launched or resumed last.
        moves: The steps from which it went on in another environment, with what was said then.
        checkpoints: The steps of which there are checkpoints, in order.
    """

    path: Path
    document: Mapping[str, Any]
    rows: Mapping[int, Mapping[str, Any]]
    summary: Mapping[str, Any]
    environment: Mapping[str, Any]
    moves: tuple[tuple[int, str], ...]
    checkpoints: tuple[int, ...]

    @classmethod
    def read(cls, path: Path, comm: Communicator) -> "Recording":
        """Read the files on rank 0, and share what they say; nothing is changed.

        Raises:
            UsageError: On every rank, if there is no run, or if its files cannot be read.
        """
        read = together(comm, lambda: None if comm.rank else _read(path))
        recording: Recording = comm.all_gather_object(read)[0]
        return recording

    @property
    def config(self) -> Config:
        """The configuration."""
        return parse_config(self.document, str(self.path / "config.toml"))

    @property
    def ranks(self) -> int | None:
        """On how many ranks the run was, when it was launched or resumed last."""
        return len(self.environment.get("hosts", ())) or None

    @property
    def last_recorded(self) -> int:
        """The last step that was made; 0 for none."""
        return max(self.rows, default=0)

    @property
    def last_step(self) -> int:
        """The last step that there is something of: also one in which the run ended."""
        ended_well = self.summary.get("status") in ("done", "interrupted")
        return self.last_recorded + (not ended_well)

    @property
    def failed_step(self) -> int | None:
        """The step in which the run failed; None if it has not failed in one."""
        step = self.last_recorded + 1
        error = self.summary.get("error") or ""
        return step if error.startswith(f"step {step}:") or f" at step {step}, " in error else None

    @property
    def folder(self) -> Path:
        """Where the checkpoints are."""
        return self.path / "checkpoints"

    def checkpoint_before(
        self, step: int, comm: Communicator
    ) -> tuple[Checkpoint | None, list[str]]:
        """Return the newest checkpoint before a step that is whole, and a line for each other.

        Raises:
            UsageError: On every rank, if the checkpoints cannot be read.
        """
        found = together(comm, lambda: None if comm.rank else _newest(self.folder, step))
        skipped: list[str] = comm.all_gather_object(found and found.skipped)[0]
        return share(comm, found.checkpoint if found else None), skipped

    def checkpoint_of(self, step: int, comm: Communicator) -> tuple[Checkpoint | None, str | None]:
        """Return the checkpoint of a step, on rank 0, and on all ranks why it cannot be used."""
        checkpoint, problem = None, None
        if comm.rank == 0 and step in self.checkpoints:
            try:
                checkpoint = CheckpointStore(self.folder).read(step)
            except CheckpointError as error:
                problem = str(error)
        return checkpoint, comm.all_gather_object(problem)[0]

    def identity(self, checkpoint: Checkpoint | None, comm: Communicator) -> Mapping[str, Any]:
        """Return what tells the samples of the run, as far as it is known.

        Args:
            checkpoint: One of the run, on all ranks; None to ask its other files.
            comm: The ranks.
        """
        if checkpoint is None:
            checkpoint = self.checkpoint_before(self.last_step + 1, comm)[0]
        if checkpoint is not None:
            data: Mapping[str, Any] = checkpoint.state["data"]
            return data
        known = self.summary.get("data_sha256")
        return {"sha256": known} if known else {}


def recorded(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a row of the metrics is the same whenever the step is made."""
    return {name: row[name] for name in _FIELDS if row.get(name) is not None}


def _read(path: Path) -> Recording:
    if not (path / "config.toml").is_file():
        what = "it has no config.toml" if path.is_dir() else "there is no such folder"
        raise UsageError(f"{path} is not the folder of a run: {what}; name one, as runs/NAME")
    config = load_config(path / "config.toml")
    try:
        steps = tuple(CheckpointStore(path / "checkpoints").steps())
    except CheckpointError as error:
        raise UsageError(str(error)) from error
    return Recording(
        path,
        config.model_dump(mode="json", exclude_none=True),
        _rows(path / "metrics.jsonl"),
        _json(path / "summary.json"),
        _json(path / "environment.json"),
        tuple(_moves(path / "journal.jsonl")),
        steps,
    )


def _newest(folder: Path, before: int) -> Any:
    try:
        return CheckpointStore(folder).newest(before)
    except CheckpointError as error:
        raise UsageError(str(error)) from error


def _rows(path: Path) -> dict[int, dict[str, Any]]:
    """Return the rows by step, without one that a crash has cut short."""
    rows = {}
    for line in _content(path).splitlines():
        try:
            row = json.loads(line)
            rows[int(row["step"])] = recorded(row)
        except (ValueError, TypeError, LookupError):
            continue
    return rows


def _moves(path: Path) -> Iterator[tuple[int, str]]:
    for entry in Journal(path).entries():
        if entry.get("event") == "resume":
            for line in entry.get("warnings", ()):
                yield entry["step"], line


def _json(path: Path) -> dict[str, Any]:
    """Return what a file says; nothing if it is not there or damaged."""
    try:
        content = json.loads(_content(path) or b"{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
