"""`SequentialLR`: schedules one after the other."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["SequentialLR"]


class SequentialLR(LRScheduler):
    """Follows each of several schedules for a while; each begins from the initial learning rates.

    Args:
        optimizer: Whose learning rates are set.
        schedulers: The schedules of this optimizer, in their order.
        milestones: The epochs at which the second and each further schedule begins, rising.

    Raises:
        ValueError: If there is no schedule, if one is of another optimizer, or if there is not one
            milestone less than schedules.

    Example:
        >>> import distgrad as dg
        >>> from distgrad.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> warmup = LinearLR(optimizer, 0.5, total_iters=2)
        >>> scheduler = SequentialLR(optimizer, [warmup, CosineAnnealingLR(optimizer, 2)], [2])
        >>> rates = []
        >>> for epoch in range(5):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> [round(rate, 4) for rate in rates]
        [0.5, 0.75, 1.0, 0.5, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int]
    ) -> None:
        if not schedulers:
            raise ValueError("SequentialLR expects at least one scheduler, but got none")
        for place, scheduler in enumerate(schedulers):
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"SequentialLR expects all schedulers to belong to the same optimizer, but "
                    f"{type(scheduler).__name__} at index {place} has another; make it for this one"
                )
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR expects one milestone less than schedulers, but got "
                f"{len(milestones)} for {len(schedulers)} schedulers; give the epoch at which each "
                "but the first begins"
            )
        self.optimizer = optimizer
        self._schedulers = schedulers
        self._milestones = milestones
        self._begin()

    def step(self) -> None:
        """Go on to the next epoch, in the schedule that it belongs to."""
        self.last_epoch += 1
        place = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[place]
        if place > 0 and self._milestones[place - 1] == self.last_epoch:
            scheduler._begin()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

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

    def _begin(self) -> None:
        self.last_epoch = 0
        scheduler = self._schedulers[bisect_right(self._milestones, 0)]
        scheduler._begin()
        self._last_lr = scheduler.get_last_lr()
