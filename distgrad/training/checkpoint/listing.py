"""What stands in a folder of checkpoints, by its names."""

import re
from pathlib import Path
from typing import NamedTuple

from distgrad.training.checkpoint.errors import CheckpointError

__all__ = [
    "DRAFT",
    "REMOVED",
    "REPLACED",
    "Entry",
    "checkpoint_path",
    "hidden_path",
    "list_entries",
]

DRAFT = "draft"
"""Being written."""

REPLACED = "replaced"
"""Whole, and set aside for a moment while another one of the same step takes its place."""

REMOVED = "removed"
"""Being removed."""

_NAME = re.compile(rf"(\.)?step-(0|[1-9][0-9]*)(?(1)\.({DRAFT}|{REPLACED}|{REMOVED}))")


class Entry(NamedTuple):
    """A checkpoint, or what is to be one or was one.

    Attributes:
        step: Its step.
        kind: `DRAFT`, `REPLACED` or `REMOVED`; None for a checkpoint under its own name.
        path: Its folder.
    """

    step: int
    kind: str | None
    path: Path


def checkpoint_path(folder: Path, step: int) -> Path:
    """Return the folder of the checkpoint of a step."""
    return folder / f"step-{step}"


def hidden_path(folder: Path, step: int, kind: str) -> Path:
    """Return the folder of what is not under its own name yet, or no longer."""
    return folder / f".step-{step}.{kind}"


def list_entries(folder: Path) -> list[Entry]:
    """Return what is there, in no order; nothing if there is no folder.

    Raises:
        CheckpointError: If the folder cannot be read.
    """
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CheckpointError(
            f"the checkpoints in {folder} cannot be read ({error.strerror}); mend that, or begin "
            "anew in another folder"
        ) from error
    matches = [(_NAME.fullmatch(path.name), path) for path in paths]
    return [Entry(int(match[2]), match[3], path) for match, path in matches if match]
