"""When a run writes checkpoints, and what happens if it cannot."""

from distgrad.errors import TrainingError
from distgrad.training.checkpoint import Checkpoint, CheckpointError
from distgrad.training.output import Output
from distgrad.training.step_report import StepReport
from distgrad.training.together import together
from distgrad.training.trainer import Trainer

__all__ = ["Saving"]


class Saving:
    """Writes the checkpoints of a run; all ranks call the same methods, and rank 0 writes.

    What cannot be written is a `TrainingError` on all ranks. As soon as rank 0 knows, it asks for a
    stop, so that little is lost to it: the next step is the last.

    Args:
        trainer: What is trained; if it was restored, its checkpoint is not written again.
        output: Where rank 0 records the run.
    """

    def __init__(self, trainer: Trainer, output: Output) -> None:
        self._trainer = trainer
        self._output = output
        self._writer = output.writer
        self._settings = trainer.config.checkpoint
        self._saved = self._version

    @property
    def _version(self) -> tuple[int, bool, int | None]:
        """What tells two states of the training apart, the same on all ranks."""
        progress = self._trainer.progress
        is_evaluated = progress.last is not None and progress.last.test is not None
        return progress.steps, is_evaluated, progress.best_step

    def after(self, report: StepReport) -> None:
        """Write a checkpoint if one is due after a step; ask for a stop if rank 0 cannot write."""
        if self._problem():
            self._trainer.model.request_stop()
        is_best = self._settings.keep_best and self._trainer.progress.best_step == report.step
        if is_best or report.step % self._settings.every_steps == 0:
            self.save()

    def save(self) -> None:
        """Have the state of the training written, unless it is that of the last checkpoint.

        The writing itself goes on meanwhile.

        Raises:
            TrainingError: On every rank, if something could not be written before.
        """
        if self._version == self._saved:
            return
        try:
            checkpoint = self._trainer.checkpoint()  # on all ranks: each may hold a part of it
        except TypeError as error:
            raise TrainingError(str(error)) from error
        together(self._trainer.model.comm, lambda: self._submit(checkpoint), TrainingError)
        self._saved = self._version

    def finish(self) -> None:
        """Wait until everything is written.

        Raises:
            TrainingError: On every rank, if something could not be written.
        """
        together(self._trainer.model.comm, self._wait, TrainingError)

    def close(self) -> None:
        """Wait until everything is written, also if that fails."""
        if self._writer is not None:
            self._writer.finish()

    def _submit(self, checkpoint: Checkpoint) -> None:
        if self._writer is None:
            return
        self._output.sync()  # a checkpoint has the rows of all steps before it
        self._raise_problem()
        best_step = self._trainer.progress.best_step if self._settings.keep_best else None
        try:
            self._writer.submit(checkpoint, best_step)
        except (CheckpointError, TypeError, ValueError) as error:
            raise TrainingError(str(error)) from error

    def _wait(self) -> None:
        self.close()
        self._raise_problem()

    def _raise_problem(self) -> None:
        problem = self._problem()
        if problem:
            raise TrainingError(problem)

    def _problem(self) -> str | None:
        if self._writer is None:
            return None
        failure = self._writer.failure
        return self._output.trouble() or (str(failure) if failure else None)
