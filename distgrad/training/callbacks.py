"""Callbacks: what of one's own looks into a run, and may end it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad.distributed import Communicator
from distgrad.distributed.record import LocalRecord, gather_records
from distgrad.training.metrics import Value
from distgrad.training.step_report import StepReport

if TYPE_CHECKING:
    from distgrad.training.trainer import Trainer

__all__ = ["Callback", "Callbacks"]


class Callback:
    """Looks into a run on every rank; derive from it, and define what is needed.

    What is called on one rank is called on all, with the same numbers but for times. An exception
    on one rank ends the run on all of them. A callback with ``state_dict()`` and
    ``load_state_dict()`` is in the checkpoints. It may change what is trained, if it does so alike
    on all ranks; ``distgrad replay`` therefore calls it, too.

    Example:
        >>> class Patience(Callback):
        ...     def on_step_end(self, trainer, report):
        ...         if report.loss is not None and report.loss < 0.1:
        ...             trainer.request_end()
    """

    def on_start(self, trainer: "Trainer", /) -> None:
        """Begin, or go on from a checkpoint: the next step is ``trainer.progress.steps + 1``."""

    def on_step_end(self, trainer: "Trainer", report: StepReport, /) -> None:
        """Look at a step that was made, before the evaluation that may be due."""

    def on_evaluate(self, trainer: "Trainer", metrics: dict[str, Value], /) -> None:
        """Look at an evaluation of the test samples, after ``trainer.progress.steps`` steps."""

    def on_end(self, trainer: "Trainer", status: str, /) -> None:
        """End a run of `distgrad.training.train`, as "done", "interrupted" or "failed"."""


class Callbacks:
    """Calls several callbacks, so that all ranks hear what one of them raises or asks for.

    Args:
        comm: The ranks.
        callbacks: In the order in which they are called, with what they are called in messages.

    Attributes:
        end_asked: Whether one on this rank has asked for the end of the run.
    """

    def __init__(self, comm: Communicator, callbacks: Iterable[tuple[str, Any]]) -> None:
        self._comm = comm
        self._callbacks = list(callbacks)
        self.end_asked = False

    def __len__(self) -> int:
        return len(self._callbacks)

    @property
    def stateful(self) -> dict[str, Any]:
        """Those that have a state of their own, by name."""
        return {
            f"callback {number} ({name})": callback
            for number, (name, callback) in enumerate(self._callbacks)
            if hasattr(callback, "state_dict") and hasattr(callback, "load_state_dict")
        }

    def tell(self, event: str, trainer: "Trainer", *what: Any) -> bool:
        """Call a method of each callback; tell whether one on any rank has asked for the end.

        Raises:
            RankError: On every rank, if one of them has raised an exception on some rank.
        """
        if not self._callbacks:
            return False
        step = trainer.progress.steps
        local = LocalRecord(f"{event} of the callbacks at step {step}")
        for name, callback in self._callbacks:
            where = f"at step {step}, in {event} of the callback {name}"
            local.attempt(where, getattr(callback, event), trainer, *what)
        local.stop = self.end_asked
        return gather_records(self._comm, local, np.zeros(0, np.bool_)).stop
