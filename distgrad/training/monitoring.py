"""The number of an evaluation that decides something: when a run ends, when a rate falls."""

from collections.abc import Mapping

from distgrad.errors import UsageError
from distgrad.optim.lr_scheduler import LRScheduler
from distgrad.training.metrics import Mode
from distgrad.training.problems import known_names
from distgrad.training.schedules import PlateauOfEvaluations
from distgrad.training.training_section import TrainingConfig

__all__ = ["check_plateau", "with_monitor_mode"]

Modes = Mapping[str, Mode | None]
"""Of all that is measured, whether less or more is better; None where that is not known."""


def with_monitor_mode(training: TrainingConfig, modes: Modes) -> TrainingConfig:
    """Return the configuration with what is better of what it monitors.

    Raises:
        UsageError: If that is not measured, or if it is not known and not given.
    """
    if training.monitor is None:
        return training
    known = _mode("training.monitor", training.monitor, modes)
    mode = training.monitor_mode or known
    if mode is None:
        raise UsageError(
            f"training.monitor: whether less {training.monitor} is better, or more, is not known; "
            'say so by training.monitor_mode = "min" or "max"'
        )
    _check_mode("training.monitor_mode", training.monitor, mode, known)
    return training.model_copy(update={"monitor_mode": mode})


def check_plateau(scheduler: LRScheduler | None, training: TrainingConfig, modes: Modes) -> None:
    """Refuse a schedule that waits for a number which no evaluation gives.

    Raises:
        UsageError: Also if its mode is not that of the number.
    """
    if not isinstance(scheduler, PlateauOfEvaluations):
        return
    known = _mode("scheduler.metric", scheduler.metric, modes)
    _check_mode("scheduler.mode", scheduler.metric, scheduler.mode, known)
    if not training.evaluates:
        raise UsageError(
            f'scheduler.metric = "{scheduler.metric}": is a number of evaluations, and none is '
            "made before the end; give training.evaluate_every_epochs or "
            "training.evaluate_every_steps"
        )


def _mode(key: str, name: str, modes: Modes) -> Mode | None:
    if name not in modes:
        raise UsageError(f'{key} = "{name}": is not measured; {known_names(name, modes)}')
    return modes[name]


def _check_mode(key: str, name: str, mode: str, known: Mode | None) -> None:
    if known not in (None, mode):
        which = "less" if known == "min" else "more"
        raise UsageError(f'{key} = "{mode}": {which} {name} is better; set it to "{known}"')
