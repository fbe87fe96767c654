"""Where two runs part: the first step, then the parameter, then the micro-batch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from distgrad.distributed import Communicator
from distgrad.errors import UsageError
from distgrad.training.checkpoint import Checkpoint
from distgrad.training.replay.cause import Cause, cause_of
from distgrad.training.replay.comparison import (
    Records,
    compare_records,
    rows_apart,
    settings_apart,
)
from distgrad.training.replay.observation import Observation, Sight
from distgrad.training.replay.player import Outcome, Player, differing_weights, same_bits
from distgrad.training.replay.recording import Recording
from distgrad.training.replay.step import checkpoint_difference, mismatches, warnings_of

__all__ = ["Parting", "find_parting"]

Name = Literal["A", "B"]


@dataclass(frozen=True)
class Parting:
    """Where two runs part, A and B; the same on every rank.

    Attributes:
        last: The last step that both have.
        start: From which step's checkpoints they were made again; 0 for the seeded beginning.
        step: The step at which they part; 0 for the beginning, None if they do not.
        cause: In what the steps themselves part; None if the replays do not part.
        disturbed: Of each run whose replay is not what was recorded, in what, with both values: now
            and then. Arrays that differ from a checkpoint have none.
        settings: In what the configurations and the environments differ, with both values.
        warnings: What a difference may come from, and what could not be used.
    """

    last: int
    start: int
    step: int | None
    cause: Cause | None
    disturbed: Mapping[Name, Mapping[str, Any]]
    settings: Mapping[str, tuple[Any, Any]]
    warnings: list[str] = field(default_factory=list)


def find_parting(a: Path, b: Path, comm: Communicator) -> Parting:
    """Find where two runs part; no file is written.

    Rows of metrics and checkpoints that both have are compared first. Both runs are then made again
    from the last checkpoints that are alike, step by step, until they part, or until one of them is
    not what it has recorded. The step at which they part is looked into micro-batch by micro-batch.

    Args:
        a: The folder of a run.
        b: The folder of another.
        comm: The ranks, as many as one likes; all of them call this.

    Raises:
        UsageError: On every rank, if one of them cannot be made again.
    """
    one, other = Recording.read(a, comm), Recording.read(b, comm)
    records = compare_records(one, other, comm)
    settings = settings_apart(one, other)
    if not records.last:
        raise UsageError(f"{a} and {b} have no step in common: one of them has made none yet")
    if records.alike:
        nothing: dict[Name, Mapping[str, Any]] = {}
        return Parting(records.last, records.equal, None, None, nothing, settings, records.problems)
    players = [Player(recording, comm, records.equal + 1) for recording in (one, other)]
    return _Search(*players).run(records, settings)


class _Search:
    """Makes two runs again, side by side."""

    def __init__(self, a: Player, b: Player) -> None:
        self._players: dict[Name, Player] = {"A": a, "B": b}
        self._comm = a.trainer.model.comm

    def run(self, records: Records, settings: Mapping[str, Any]) -> Parting:
        """Go on until the runs part, or are over."""
        a, b = self._players.values()
        start = max(a.start, b.start)
        a.make_up_to(start)
        b.make_up_to(start)
        warnings = list(
            dict.fromkeys(
                [*records.problems, *warnings_of(a, start + 1), *warnings_of(b, start + 1)]
            )
        )
        step, cause, disturbed = self._first(records)
        return Parting(records.last, start, step, cause, disturbed, settings, warnings)

    def _first(
        self, records: Records
    ) -> tuple[int | None, Cause | None, Mapping[Name, Mapping[str, Any]]]:
        a, b = self._players.values()
        before = self._states()
        if apart := differing_weights(*before):
            return a.step, Cause("beginning", parameter=apart[0], others=len(apart) - 1), {}
        for step in range(a.step + 1, records.last + 1):
            outcomes = [a.make(), b.make()]
            after = self._states()
            if _parted(outcomes, after) or _gradients_part(a, b):
                return step, self._look_into(before, outcomes, after), self._disturbed(outcomes)
            disturbed = self._disturbed(outcomes)
            if len(disturbed) == 1 or (disturbed and rows_apart(a.recording, b.recording, step)):
                return step, None, disturbed
            before = after
        return None, None, {}

    def _states(self) -> list[Checkpoint]:
        return [player.snapshot() for player in self._players.values()]

    def _disturbed(self, outcomes: list[Outcome]) -> dict[Name, Mapping[str, Any]]:
        """Return in what the replays are not what was recorded; all ranks call it."""
        found: dict[Name, Mapping[str, Any]] = {}
        for (name, player), outcome in zip(self._players.items(), outcomes, strict=True):
            recording = player.recording
            step = player.step + bool(outcome.error)
            failed = recording.summary["error"] if recording.failed_step == step else None
            apart = mismatches(outcome, recording.rows.get(step), failed)
            arrays = None if outcome.error else checkpoint_difference(player)[0]
            apart |= dict.fromkeys(arrays or (), (None, None))
            if apart:
                found[name] = apart
        return found

    def _look_into(
        self, before: list[Checkpoint], outcomes: list[Outcome], after: list[Checkpoint]
    ) -> Cause:
        """Make the step at which the runs part again, and find in what they do."""
        sights: list[Sight] = []
        for player, state in zip(self._players.values(), before, strict=True):
            player.goto(state)
            observation = Observation(dict(player.trainer.model.named_parameters()))
            player.make(observation)
            sights.append(observation.gathered(self._comm))
        return cause_of(sights, outcomes, differing_weights(*after))


def _gradients_part(a: Player, b: Player) -> bool:
    """Tell whether the last steps have left different gradients, which may show later only."""
    one, other = (
        [None if p.grad is None else p.grad.data for p in player.trainer.model.parameters()]
        for player in (a, b)
    )
    return any(
        x is not y and (x is None or y is None or not same_bits(x, y))
        for x, y in zip(one, other, strict=True)
    )


def _parted(outcomes: list[Outcome], after: list[Checkpoint]) -> bool:
    """Tell whether two replays of one step differ in what both have, or in the weights."""
    one, other = outcomes
    if one.error != other.error:
        return True
    measured = [name for name in one.row if name in other.row and name != "lr"]
    if any(one.row[name] != other.row[name] for name in measured):
        return True
    return bool(differing_weights(*after))
