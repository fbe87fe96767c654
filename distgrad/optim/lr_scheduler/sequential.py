"""`SequentialLR`: schedules one after the other."""

from bisect import bisect_right

from distgrad.optim.lr_scheduler.composed import ComposedScheduler
from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["SequentialLR"]


class SequentialLR(ComposedScheduler):
    """Follows each of several schedules for a while; each begins from the initial learning rates.

    Only `MultiplicativeLR` goes on from the rates that the one before has left.

    Args:
        optimizer: Whose learning rates are set.
        schedulers: The schedules of this optimizer, in their order.
        milestones: The epochs at which the second and each further schedule begins, rising.
        last_epoch: The epoch that was the last; -1 begins anew.

    Raises:
        TypeError: If one of them is no schedule.
        ValueError: If there is no schedule, if one is of another optimizer or is
            `ReduceLROnPlateau`, or if there is not one milestone less than schedules.

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
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        super().__init__(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR expects one milestone less than schedulers, but got "
                f"{len(milestones)} for {len(schedulers)} schedulers; give the epoch at which each "
                "but the first begins"
            )
        self._milestones = milestones
        self._begin()
        self.last_epoch = last_epoch + 1

    def step(self) -> None:  # type: ignore[override]
        """Go on to the next epoch, in the schedule that it belongs to."""
        self.last_epoch += 1
        place = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[place]
        if place > 0 and self._milestones[place - 1] == self.last_epoch:
            scheduler._take_over()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def _restart(self) -> None:
        self.last_epoch = 0
        scheduler = self._schedulers[bisect_right(self._milestones, 0)]
        scheduler._restart()
        self._last_lr = scheduler.get_last_lr()
