"""One step of a run, made again and compared with what was recorded of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distgrad.distributed import Communicator
from distgrad.errors import UsageError
from distgrad.training.differences import environment_differences
from distgrad.training.environment import describe_environment
from distgrad.training.replay.observation import Observation, Sight
from distgrad.training.replay.player import Outcome, Player, differing_arrays
from distgrad.training.replay.recording import Recording

__all__ = ["StepReplay", "checkpoint_difference", "mismatches", "replay_step", "warnings_of"]


@dataclass(frozen=True)
class StepReplay:
    """What came of a step, and what was recorded of it; the same on every rank.

    Attributes:
        step: Its number.
        start: The step whose checkpoint the replay began from; 0 for the seeded beginning.
        ranks: How many ranks have made it again.
        outcome: What came of it.
        sight: What was seen of it.
        row: What the run has recorded of it; None if nothing.
        failure: How the run failed in it; None if it has not.
        arrays: The parameters, buffers and arrays of the optimizer that differ from the checkpoint
            of the step; None if there is none to compare with.
        warnings: What a difference may come from, and what could not be used.
    """

    step: int
    start: int
    ranks: int
    outcome: Outcome
    sight: Sight
    row: Mapping[str, Any] | None
    failure: str | None
    arrays: list[str] | None
    warnings: list[str]

    @property
    def reproduced(self) -> bool:
        """Whether all that was recorded of the step came out again, bit for bit."""
        return not (mismatches(self.outcome, self.row, self.failure) or self.arrays)


def replay_step(path: Path, step: int, comm: Communicator) -> StepReplay:
    """Make a step of a run again, from the nearest checkpoint before it; no file is written.

    Args:
        path: The folder of the run.
        step: From 1 to the last step of the run, or the one in which it failed.
        comm: The ranks, as many as one likes; all of them call this.

    Raises:
        UsageError: On every rank, if there is no such run or step, or if the data has changed.
        TrainingError: On every rank, if a step before it fails.

    Example:
        >>> import io, tempfile
        >>> from contextlib import redirect_stdout
        >>> from distgrad.distributed import SingleProcess
        >>> from distgrad.training import parse_config, train
        >>> config = parse_config({
        ...     "run": {"name": "example"}, "model": {"name": "mlp", "sizes": [1, 4, 1]},
        ...     "data": {"global_batch_size": 64, "micro_batch_size": 16,
        ...              "source": {"name": "sine", "samples": 100}},
        ...     "optimizer": {"name": "adam"}, "training": {"loss": "mse", "max_steps": 3},
        ... })
        >>> with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        ...     _ = train(config, SingleProcess(), Path(folder, "run"))
        ...     replay = replay_step(Path(folder, "run"), 3, SingleProcess())
        >>> replay.reproduced, [gradient.name for gradient in replay.sight.gradients]
        (True, ['0.weight', '0.bias', '3.weight', '3.bias'])
    """
    recording = Recording.read(path, comm)
    _check_step(recording, step)
    player = Player(recording, comm, step)
    player.make_up_to(step - 1)
    model = player.trainer.model
    observation = Observation(dict(model.named_parameters()))
    outcome = player.make(observation)
    arrays, problem = (None, None) if outcome.error else checkpoint_difference(player)
    return StepReplay(
        step,
        player.start,
        comm.size,
        outcome,
        observation.gathered(comm),
        recording.rows.get(step),
        recording.summary["error"] if recording.failed_step == step else None,
        arrays,
        [*warnings_of(player, step), *([f"cannot be compared with: {problem}"] if problem else [])],
    )


def mismatches(
    outcome: Outcome, row: Mapping[str, Any] | None, failure: str | None
) -> dict[str, tuple[Any, Any]]:
    """Return what came of a step otherwise than recorded, by name, with both: now, and then."""
    if row is None and failure is None:
        return {}
    now, then = outcome.row, row or {}
    found = {
        name: (now.get(name), then.get(name))
        for name in ({**now, **then} if now and then else ())
        if json.dumps(now.get(name)) != json.dumps(then.get(name))
    }
    if _without_rank(outcome.error) != _without_rank(failure):
        found["failure"] = outcome.error, failure
    return found


def checkpoint_difference(player: Player) -> tuple[list[str] | None, str | None]:
    """Compare the state after the last step with the run's checkpoint of it; all ranks call it.

    Returns:
        The arrays that differ, or None without a checkpoint, and why one cannot be used, or None.
    """
    comm = player.trainer.model.comm
    kept, problem = player.recording.checkpoint_of(player.step, comm)
    now = player.trainer.checkpoint()
    differing = None if kept is None else differing_arrays(now, kept)
    return comm.all_gather_object(differing)[0], problem


def warnings_of(player: Player, step: int) -> list[str]:
    """Return what is not as it was in the run, and what that means; all ranks call it.

    Args:
        player: Makes the run again.
        step: The first that is looked at.
    """
    recording, comm = player.recording, player.trainer.model.comm
    player.choose_kernels()
    now = comm.all_gather_object(describe_environment(comm, player.trainer.device))[0]
    lines = [f"skipped a checkpoint that is not whole: {line}" for line in player.skipped]
    differences = [
        f"{name} {new}, was {old}"
        for name, (old, new) in environment_differences(recording.environment, now).items()
    ]
    if not recording.environment:
        differences = ["environment.json cannot be read"]
    if differences:
        lines.append(
            f"the environment is not that of the run in {recording.path}: {'; '.join(differences)}:"
            " that the bits are those of the run is not promised"
        )
    for start, line in recording.moves:
        if step <= start:
            lines.append(f"the run in {recording.path} went on from step {start} elsewhere: {line}")
    then = recording.ranks
    if recording.config.distributed.reduction == "allreduce" and then != comm.size:
        lines.append(
            f'distributed.reduction is "allreduce" in {recording.path}, whose bits depend on the '
            f"number of ranks: {then or 'unknown'} in the run, {comm.size} now; that they are "
            f"those of the run is not promised{f' (--ranks {then} comes nearer)' if then else ''}"
        )
    return lines


def _check_step(recording: Recording, step: int) -> None:
    if step < 1:
        raise UsageError(f"--step {step}: steps are numbered from 1")
    if step > recording.last_step:
        status = recording.summary.get("status")
        last = recording.last_recorded
        ended = f"the run is {status} after step {last}" if status else f"it has recorded {last}"
        if status == "failed":
            ended = f"the run failed after step {last}, so the last that can be is {last + 1}"
        raise UsageError(f"{recording.path} has no step {step} yet: {ended}")


def _without_rank(failure: str | None) -> str | None:
    """Return how a step failed, without the rank and the host on which it did."""
    return failure and re.sub(r"^rank \d+ of \d+ on \S+ failed ", "", failure)
