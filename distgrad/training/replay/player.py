"""`Player`: makes the steps of a run again, one at a time."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from distgrad.backend import Array, little_endian_bytes
from distgrad.backend.kernels import kernels_in_use, use_kernels
from distgrad.distributed import Communicator
from distgrad.errors import TrainingError, UsageError
from distgrad.training.checkpoint import Checkpoint
from distgrad.training.config import Config
from distgrad.training.observer import Observer
from distgrad.training.replay.recording import Recording, recorded
from distgrad.training.together import together
from distgrad.training.trainer import Trainer

__all__ = ["Outcome", "Player", "differing_arrays", "differing_weights", "same_bits"]

_ENDLESS = {
    "max_steps": None,
    "max_epochs": None,
    "target_loss": None,
    "target_metric": None,
    "patience": None,
}
"""The end of a run does not belong to its steps."""

_UNTESTED = {"evaluate_every_epochs": None, "evaluate_every_steps": None}
"""Nor do its evaluations, unless something is made of them."""


@dataclass(frozen=True)
class Outcome:
    """What came of a step.

    Attributes:
        row: What ``metrics.jsonl`` would have of it, but for times and evaluations; empty if the
            step failed.
        error: How it failed, or None.
        trace: Where in the model an exception was raised, if one was.
    """

    row: Mapping[str, Any]
    error: str | None = None
    trace: str | None = None


class Player:
    """A run that is trained again, without its evaluations and its end; no file is written.

    Args:
        recording: The run.
        comm: The ranks, as many as one likes.
        before: The step that shall be made next, or a later one.

    Attributes:
        trainer: The training.
        start: The step whose checkpoint it began from; 0 for the seeded beginning.
        skipped: A line for each newer checkpoint that is not whole.

    Raises:
        UsageError: On every rank, if the run cannot be made again: its data has changed, or it does
            not fit.
    """

    def __init__(self, recording: Recording, comm: Communicator, before: int) -> None:
        self.recording = recording
        self.trainer = Trainer(_replayed(recording.config), comm)
        self._kernels = _kernels()
        changes = _ENDLESS if recording.config.follows_evaluations else _ENDLESS | _UNTESTED
        limits = self.trainer.config.training.model_copy(update=changes)
        self.trainer.config = self.trainer.config.model_copy(update={"training": limits})
        checkpoint, self.skipped = recording.checkpoint_before(before, comm)
        data = recording.identity(checkpoint, comm)
        together(comm, lambda: _check_data(data, self.trainer.data, recording))
        self.start = checkpoint.step if checkpoint else 0
        self.goto(checkpoint)

    @property
    def step(self) -> int:
        """The last step that was made."""
        return self.trainer.progress.steps

    def goto(self, checkpoint: Checkpoint | None) -> None:
        """Go on from a checkpoint, given on all ranks; from the beginning if there is none."""
        if checkpoint is not None:
            together(self.trainer.model.comm, lambda: self.trainer.restore(checkpoint))
        self._reports = self.trainer.steps()
        if checkpoint is not None and checkpoint.step:
            next(self._reports)  # of the checkpoint's step

    def choose_kernels(self) -> None:
        """Compute as this run does: the process may have made a step of another one meanwhile."""
        if _kernels() != self._kernels:
            use_kernels(self._kernels)

    def make(self, observer: Observer | None = None) -> Outcome:
        """Make the next step; a failure is an outcome too, with the parameters as before it."""
        self.choose_kernels()
        self.trainer.observer = observer
        self.trainer.progress.ended = False  # as far as a callback is concerned
        try:
            return Outcome(recorded(next(self._reports).as_row()))
        except TrainingError as error:
            return Outcome({}, str(error), _trace(error))

    def make_up_to(self, step: int) -> None:
        """Make all steps before the one that is to be looked at.

        Raises:
            TrainingError: On every rank, if one of them fails.
        """
        while self.step < step:
            outcome = self.make()
            if outcome.error:
                raise TrainingError(
                    f"the replay of {self.recording.path} failed before step {step + 1}, which the "
                    f"run has reached, so it is not the run that was recorded: {outcome.error}"
                )

    def snapshot(self) -> Checkpoint:
        """Return a copy of all that the training goes on from, on every rank."""
        checkpoint = self.trainer.checkpoint()
        arrays = {
            group: {name: array.copy() for name, array in named.items()}
            for group, named in checkpoint.arrays.items()
        }
        return Checkpoint(checkpoint.step, arrays, checkpoint.state)


def differing_arrays(one: Checkpoint, other: Checkpoint) -> list[str]:
    """Return the names of the arrays that do not have the same bits, the model's first."""
    of_average = _differing(one, other, "average") if "average" in one.arrays else []
    return differing_weights(one, other) + of_average + _differing(one, other, "optimizer")


def differing_weights(one: Checkpoint, other: Checkpoint) -> list[str]:
    """Return the names of the parameters and buffers that do not have the same bits."""
    return _differing(one, other, "model")


def _differing(one: Checkpoint, other: Checkpoint, group: str) -> list[str]:
    a, b = one.arrays[group], other.arrays[group]
    return [n for n in {**a, **b} if n not in a or n not in b or not same_bits(a[n], b[n])]


def same_bits(a: Array, b: Array) -> bool:
    """Tell whether two arrays have one shape, one data type and the same bits."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    one, other = (np.frombuffer(little_endian_bytes(array), np.uint8) for array in (a, b))
    return bool(np.array_equal(one, other))


def _replayed(config: Config) -> Config:
    """Return the configuration with what gives the same bits in a way that shows more."""
    data = config.data.model_copy(update={"num_workers": 0})
    distributed = config.distributed
    if distributed.reduction == "sharded":
        distributed = distributed.model_copy(update={"reduction": "tree"})
    return config.model_copy(update={"data": data, "distributed": distributed, "sample": None})


def _kernels() -> str:
    """Return the name of the kernels in use, without versions."""
    return kernels_in_use().partition(" ")[0]


def _check_data(then: Mapping[str, Any], now: Mapping[str, Any], recording: Recording) -> None:
    for what, before in then.items():
        if now[what] != before:
            raise UsageError(
                f"the data has changed since the run in {recording.path}: {what} {now[what]}, and "
                f"was {before}; bring the old data back (the built-in text is another for each "
                "version of Python), else its steps cannot be made again"
            )


def _trace(error: TrainingError) -> str | None:
    if error.__cause__ is not None:
        return "".join(traceback.format_exception(error.__cause__))
    return "\n".join(getattr(error, "__notes__", ())) or None
