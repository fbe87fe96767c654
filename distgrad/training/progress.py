"""Where a run stands: how far it has come, and whether that is far enough."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from distgrad.errors import TrainingError
from distgrad.training.best import Best
from distgrad.training.config import TrainingConfig
from distgrad.training.metrics import Value, number_of
from distgrad.training.step_report import StepReport

__all__ = ["Progress"]


@dataclass
class Progress:
    """What training goes on from after a step, beside the model, the optimizer and the schedule.

    Random draws and the order of samples are keyed by the seed and these numbers, so they need no
    state of their own.

    Attributes:
        epochs: How many epochs were completed.
        position: How many windows of the epoch under way were trained on.
        loss_sum: The loss summed over them.
        count: What it counts.
        epoch_loss: The mean loss of the last completed epoch.
        monitored: The best of the numbers that ``training.monitor`` names, as patience counts it.
        tested: The best of those of evaluations, else of their losses: of the best checkpoint.
        ended: Whether a callback has ended the run.
        samples: Samples trained on, since step 1.
        seconds: How long the steps took on this rank, all together.
        skipped: Steps without an update, since step 1.
        last: The report of the last step; None before the first.

    Example:
        >>> limits = TrainingConfig(loss="mse", patience=2)
        >>> progress = Progress()
        >>> for step, loss in enumerate([0.5, 0.6, 0.5], start=1):
        ...     report = StepReport(step, step, loss, 1e-3, 8, 8.0, 0.1)
        ...     progress.add(report, limits, ends_epoch=True)
        ...     print(progress.epoch_loss, progress.is_over(limits))
        0.5 False
        0.6 False
        0.5 True
    """

    epochs: int = 0
    position: int = 0
    loss_sum: float = 0.0
    count: float = 0.0
    epoch_loss: float | None = None
    monitored: Best = field(default_factory=Best)
    tested: Best = field(default_factory=Best)
    ended: bool = False
    samples: int = 0
    seconds: float = 0.0
    skipped: int = 0
    last: StepReport | None = None

    @property
    def steps(self) -> int:
        """How many steps were made."""
        return self.last.step if self.last else 0

    @property
    def best_step(self) -> int | None:
        """The step behind which an evaluation was the best so far."""
        return self.tested.step

    def add(self, report: StepReport, limits: TrainingConfig, ends_epoch: bool) -> None:
        """Count a step; the last of its epoch also closes that.

        Raises:
            TrainingError: If all steps of the epoch were skipped.
        """
        self.last = report
        self.position += 1
        self.skipped += report.skipped is not None
        if report.loss is not None:
            self.loss_sum += report.loss * report.count
            self.count += report.count
        self.samples += report.samples
        self.seconds += report.seconds
        if ends_epoch and not self.count:
            raise TrainingError(
                f"all {self.position} steps of epoch {self.epochs + 1} were skipped, the last "
                f"because {report.skipped}: the run gets nowhere; try a smaller learning rate, or "
                "look at the data"
            )
        if ends_epoch:
            self._close_epoch(self.loss_sum / self.count, limits)

    def _close_epoch(self, loss: float, limits: TrainingConfig) -> None:
        self.epochs += 1
        self.position = 0
        self.loss_sum = self.count = 0.0
        self.epoch_loss = loss
        if limits.monitor is None:
            self.monitored.note(loss, self.steps, min_delta=limits.min_delta)

    def add_evaluation(self, test: Mapping[str, Value], limits: TrainingConfig) -> None:
        """Enter into the last step's report what an evaluation that was due after it gave."""
        assert self.last is not None  # it is evaluated after a step
        self.last = replace(self.last, test=dict(test))
        self.note_evaluation(test, limits)
        if limits.monitor is not None:
            number, mode = number_of(test, limits.monitor), limits.monitor_mode or "min"
            self.monitored.note(number, self.steps, mode, limits.min_delta)

    def note_evaluation(self, test: Mapping[str, Value], limits: TrainingConfig) -> None:
        """Compare an evaluation after the last step with the best so far."""
        mode = limits.monitor_mode or "min"
        self.tested.note(number_of(test, limits.monitor or "loss"), self.steps, mode)

    def evaluation_is_due(self, limits: TrainingConfig) -> bool:
        """Tell whether the last step is to be followed by an evaluation that it lacks."""
        if self.last is None or self.last.test is not None:
            return False
        by_steps, by_epochs = limits.evaluate_every_steps, limits.evaluate_every_epochs
        ends_epoch = self.position == 0
        return bool(
            (by_steps and self.steps % by_steps == 0)
            or (by_epochs and ends_epoch and self.epochs % by_epochs == 0)
        )

    def is_over(self, limits: TrainingConfig) -> bool:
        """Tell whether one of the stop conditions holds."""
        bounds = (
            (self.steps, limits.max_steps),
            (self.epochs, limits.max_epochs),
            (self.monitored.since, limits.patience),
        )
        if self.ended or any(most is not None and number >= most for number, most in bounds):
            return True
        targets = (
            (self.epoch_loss, limits.target_loss, "min"),
            (self.monitored.last, limits.target_metric, limits.monitor_mode),
        )
        return any(
            number is not None
            and target is not None
            and (number >= target if mode == "max" else number <= target)
            for number, target, mode in targets
        )

    def as_state(self) -> dict[str, Any]:
        """Return what JSON can hold, and exactly."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Return what `as_state` was made of."""
        last = state["last"]
        bests = {name: Best(**state[name]) for name in ("monitored", "tested")}
        return cls(**{**state, **bests, "last": last and StepReport(**last)})
