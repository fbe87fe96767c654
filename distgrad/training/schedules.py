"""Schedules as a run uses them: over all its steps, and stepped once a step."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from distgrad.optim import Optimizer
from distgrad.optim.lr_scheduler import (
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
)
from distgrad.training.facts import FromRun
from distgrad.training.metrics import Value, number_of

__all__ = [
    "PlateauOfEvaluations",
    "advance",
    "advance_by_evaluation",
    "one_cycle",
    "reduce_on_plateau",
    "warmup_cosine",
]


def warmup_cosine(
    optimizer: Optimizer,
    warmup_steps: PositiveInt,
    steps: Annotated[PositiveInt | None, FromRun] = None,
    eta_min: Annotated[float, Field(ge=0)] = 0.0,
) -> SequentialLR:
    """Return a schedule that rises to the learning rate on a line and falls along half a cosine.

    Args:
        optimizer: Whose learning rates are set.
        warmup_steps: The first step takes 1/warmup_steps of the learning rate, and the step of this
            number all of it.
        steps: The step behind which the learning rate would be ``eta_min``. Default: the last of
            the run. One that is over before the warm-up is only rises.
        eta_min: The smallest learning rate.

    Raises:
        ValueError: If ``steps`` is missing.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = warmup_cosine(optimizer, warmup_steps=2, steps=6)
        >>> rates = []
        >>> for step in range(6):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> [round(rate, 4) for rate in rates]
        [0.5, 1.0, 0.9045, 0.6545, 0.3455, 0.0955]
    """
    if steps is None:
        raise ValueError("needs steps: the step at whose end the learning rate has fallen")
    start = LinearLR(optimizer, 1.0 / warmup_steps, total_iters=max(1, warmup_steps - 1))
    fall = CosineAnnealingLR(optimizer, max(1, steps - warmup_steps + 1), eta_min)
    return SequentialLR(optimizer, [start, fall], [warmup_steps - 1])


def one_cycle(
    optimizer: Optimizer,
    max_lr: float | list[float],
    steps: Annotated[PositiveInt | None, FromRun] = None,
    pct_start: Annotated[float, Field(ge=0, le=1)] = 0.3,
    anneal_strategy: Literal["cos", "linear"] = "cos",
    cycle_momentum: bool = True,
    base_momentum: float | list[float] = 0.85,
    max_momentum: float | list[float] = 0.95,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> OneCycleLR:
    """Return a `OneCycleLR` over all steps of a run.

    Args:
        optimizer: Whose learning rates are set.
        max_lr: The largest learning rate, for all groups or for each.
        steps: Its ``total_steps``. Default: those of the run.
        pct_start: As of `OneCycleLR`, and so the others.

    Raises:
        ValueError: If ``steps`` is missing, or the optimizer has no momentum to cycle.
    """
    return OneCycleLR(
        optimizer,
        max_lr,
        total_steps=steps,
        pct_start=pct_start,
        anneal_strategy=anneal_strategy,
        cycle_momentum=cycle_momentum,
        base_momentum=base_momentum,
        max_momentum=max_momentum,
        div_factor=div_factor,
        final_div_factor=final_div_factor,
        three_phase=three_phase,
    )


class PlateauOfEvaluations(ReduceLROnPlateau):
    """A `ReduceLROnPlateau` that is told a number of each evaluation, the same on every rank.

    Args:
        optimizer: Whose learning rates are set.
        metric: Which number.
        **options: As of `ReduceLROnPlateau`.
    """

    def __init__(self, optimizer: Optimizer, metric: str, **options: Any) -> None:
        super().__init__(optimizer, **options)
        self.metric = metric


def reduce_on_plateau(
    optimizer: Optimizer,
    metric: str | None = None,
    mode: Literal["min", "max"] = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
    min_lr: float | list[float] = 0.0,
    eps: float = 1e-8,
) -> ReduceLROnPlateau:
    """Return a `ReduceLROnPlateau` of the loss of each step, or of a number of each evaluation.

    Args:
        optimizer: Whose learning rates are set.
        metric: The number of an evaluation, such as "loss" or "accuracy". Default: the loss of each
            step over its global batch.
        mode: As of `ReduceLROnPlateau`, and so the others; patience, too, counts evaluations then.

    Raises:
        ValueError: As `ReduceLROnPlateau`.
    """
    options: dict[str, Any] = {
        "mode": mode,
        "factor": factor,
        "patience": patience,
        "threshold": threshold,
        "threshold_mode": threshold_mode,
        "cooldown": cooldown,
        "min_lr": min_lr,
        "eps": eps,
    }
    if metric is None:
        return ReduceLROnPlateau(optimizer, **options)
    return PlateauOfEvaluations(optimizer, metric, **options)


def advance(scheduler: LRScheduler, loss: float | None) -> None:
    """Step a schedule behind an optimizer step.

    Args:
        scheduler: The schedule; one of evaluations is not stepped.
        loss: The mean loss of the step, the same on every rank, which is told to
            `ReduceLROnPlateau`; None where there is none, which says nothing of a plateau.
    """
    if isinstance(scheduler, PlateauOfEvaluations):
        return
    if not isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step()
    elif loss is not None:
        scheduler.step(loss)


def advance_by_evaluation(scheduler: LRScheduler, test: Mapping[str, Value]) -> None:
    """Tell a schedule of evaluations what one gave; others are not stepped."""
    if isinstance(scheduler, PlateauOfEvaluations):
        scheduler.step(number_of(test, scheduler.metric))
