"""`ComposedScheduler`: what schedules that are made of others share."""

from collections.abc import Mapping, Sequence
from typing import Any

from distgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["ComposedScheduler"]


class ComposedScheduler(LRScheduler):
    """Base of the schedules that are made of others.

    Args:
        optimizer: Whose learning rates are set; None for that of the first schedule.
        schedulers: The others.

    Raises:
        TypeError: If one of them is no schedule.
        ValueError: If there is none, or if one is of another optimizer or wants to be told a number
            at each step.
    """

    def __init__(self, optimizer: Optimizer | None, schedulers: Sequence[LRScheduler]) -> None:
        kind = type(self).__name__
        if not schedulers:
            raise ValueError(f"{kind} expects at least one scheduler, but got none")
        for place, scheduler in enumerate(schedulers):
            described = f"{type(scheduler).__name__} at index {place}"
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{kind} expects schedulers, but {described} has no optimizer")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"{kind} cannot hold {described}, which is told a number at each step; step "
                    "it by itself"
                )
            optimizer = optimizer or scheduler.optimizer
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"{kind} expects all schedulers to belong to the same optimizer, but "
                    f"{described} has another; make it for this one"
                )
        assert optimizer is not None  # there is a schedule, and it has one
        self.optimizer = optimizer
        self._schedulers = schedulers

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, with the states of the schedules."""
        return {
            **super().state_dict(),
            "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        own = {key: value for key, value in state_dict.items() if key != "_schedulers"}
        super().load_state_dict(own)
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)
