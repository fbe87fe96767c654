"""Schedules that are made of several of `distgrad.optim.lr_scheduler`."""

from typing import Annotated

from pydantic import Field, PositiveInt

from distgrad.optim import Optimizer
from distgrad.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
from distgrad.training.facts import FromRun

__all__ = ["warmup_cosine"]


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
