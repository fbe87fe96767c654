"""Where two runs stand apart: what is compared, from the cheap to the dear."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distgrad.distributed import Communicator
from distgrad.training.differences import changed_keys, environment_differences
from distgrad.training.replay.player import differing_arrays
from distgrad.training.replay.recording import Recording

__all__ = ["Records", "compare_records", "rows_apart", "settings_apart"]


@dataclass(frozen=True)
class Records:
    """What the files of two runs tell of where they part.

    Attributes:
        row: The first step whose rows differ; None if none does.
        equal: The newest step before that of which both have checkpoints that are alike; 0 for
            none.
        last: The last step that both have.
        problems: A line for each checkpoint that cannot be used.
    """

    row: int | None
    equal: int
    last: int
    problems: list[str]

    @property
    def alike(self) -> bool:
        """Whether nothing differs, up to the checkpoint of the last step."""
        return self.row is None and self.equal == self.last


def compare_records(a: Recording, b: Recording, comm: Communicator) -> Records:
    """Compare the rows, and the checkpoints that both have; all ranks call it.

    Every checkpoint is compared up to the first that differs: one that was changed afterwards does
    not show in those behind it.
    """
    last = min(_end(a), _end(b))
    row = next((s for s in range(1, last + 1) if rows_apart(a, b, s)), None)
    equal, problems = 0, []
    for step in sorted(set(a.checkpoints) & set(b.checkpoints)):
        if step > last or (row is not None and step >= row):
            break
        alike, unusable = _alike(a, b, step, comm)
        problems += unusable
        if alike is False:
            return Records(row, equal, last, problems)
        equal = step if alike else equal
    return Records(row, equal, last, problems)


def rows_apart(a: Recording, b: Recording, step: int) -> list[str]:
    """Return what of a step both runs have recorded, and differently; its failure counts too."""
    one, other = a.rows.get(step), b.rows.get(step)
    if one is None or other is None:
        return [] if (one is None) == (other is None) else ["failure"]
    # What only one of them measures, such as the norm that it clips, tells nothing.
    measured = [name for name in one if name in other]
    apart = [name for name in measured if json.dumps(one[name]) != json.dumps(other[name])]
    return apart + [name for name in ("skipped",) if (name in one) != (name in other)]


def settings_apart(a: Recording, b: Recording) -> dict[str, tuple[Any, Any]]:
    """Return in which keys of the configuration, and what of the environment, two runs differ."""
    keys: Mapping[str, Any] = changed_keys(a.document, b.document)
    found = {key: values for key, values in keys.items() if key != "run.name"}
    found |= environment_differences(a.environment, b.environment)
    if a.ranks != b.ranks:
        found["ranks"] = a.ranks, b.ranks
    return found


def _end(recording: Recording) -> int:
    """The last step that is recorded, be it as a failure."""
    return recording.failed_step or recording.last_recorded


def _alike(
    a: Recording, b: Recording, step: int, comm: Communicator
) -> tuple[bool | None, list[str]]:
    """Compare two checkpoints; None if one of them cannot be used, with a line for each such."""
    (one, problem), (other, another) = (run.checkpoint_of(step, comm) for run in (a, b))
    unusable = [f"skipped a checkpoint that is not whole: {p}" for p in (problem, another) if p]
    alike = None if one is None or other is None else not differing_arrays(one, other)
    return comm.all_gather_object(alike)[0], unusable
