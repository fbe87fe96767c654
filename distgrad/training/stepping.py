"""One step of training: the gradient, its clipping, the update, and what follows the update."""

from time import perf_counter

from distgrad.data import Window
from distgrad.distributed import StepResult
from distgrad.distributed.data_parallel.losses import LossFunction
from distgrad.errors import TrainingError
from distgrad.training.assembly import Parts
from distgrad.training.observer import Observer
from distgrad.training.schedules import advance
from distgrad.training.step_report import StepReport

__all__ = ["Stepping"]


class Stepping:
    """Makes steps.

    Args:
        parts: What is trained, and by what.
        loss: Maps a micro-batch to the sum of its loss, and what that counts.
    """

    def __init__(self, parts: Parts, loss: LossFunction) -> None:
        self._model = parts.model
        self._loss = loss
        self._optimizer = parts.optimizer
        self._scheduler = parts.scheduler
        self._average = parts.average
        self._config = parts.config.training

    def step(
        self, window: Window, epoch: int, observer: Observer | None
    ) -> tuple[StepReport, bool]:
        """Make a step; return what it did, and whether a rank was asked to stop.

        Raises:
            TrainingError: On every rank, if the run shall not go on after it.
        """
        start = perf_counter()
        lr = self._optimizer.param_groups[0]["lr"]
        look = observer.micro_batch if observer else None
        result = self._model.accumulate(self._loss, window, observer=look)
        if observer:
            observer.step(window, result)
        norm, skipped = None, None
        if result.finite:
            norm = self._update()
        else:
            skipped = self._reason_to_skip(window.step + 1, lr, result)
        loss = result.loss if result.finite or result.overflow else None
        if self._scheduler:  # also after a step that was skipped: a step has one learning rate
            advance(self._scheduler, loss)

        seconds = perf_counter() - start
        report = StepReport(
            window.step + 1,
            epoch,
            loss,
            lr,
            window.samples,
            result.count,
            seconds,
            norm,
            skipped=skipped,
            loss_scale=None if self._model.loss_scale is None else result.loss_scale,
        )
        return report, result.stop

    def _update(self) -> float | None:
        """Change the parameters by their gradients; return the norm by which these were clipped."""
        value, norm = self._config.clip_grad_value, self._config.clip_grad_norm
        if value is not None:
            self._model.clip_grad_value_(value)
        found = None if norm is None else self._model.clip_grad_norm_(norm)
        self._optimizer.step()
        if self._average is not None:
            self._average.update_parameters(self._model.module)
        return found

    def _reason_to_skip(self, step: int, lr: float, result: StepResult) -> str:
        """Say why a step has no update, or raise if the run shall not go on after it."""
        if not result.count:
            return "nothing in the global batch counts"
        if result.overflow:
            return f"a gradient overflowed at the loss scale {result.loss_scale:g}"
        problem = f"the loss ({result.loss:g}) or a gradient is not finite"
        if self._config.on_nonfinite == "skip":
            return problem
        raise TrainingError(
            f"step {step}: {problem}; the learning rate was {lr:g}: try a smaller one, look for "
            'such values in the data, or leave such steps out with training.on_nonfinite = "skip"'
        )
