"""`ChainedScheduler`: schedules at the same time."""

from collections.abc import Sequence

from distgrad.optim.lr_scheduler.composed import ComposedScheduler
from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["ChainedScheduler"]


class ChainedScheduler(ComposedScheduler):
    """Steps several schedules at the same time: the factors by which they change rates multiply.

    Args:
        schedulers: The schedules of one optimizer, made before.
        optimizer: Whose learning rates are set. Default: that of the first schedule.

    Raises:
        TypeError: If one of them is no schedule.
        ValueError: If there is no schedule, or if one is of another optimizer or is
            `ReduceLROnPlateau`.

    Example:
        >>> import distgrad as dg
        >>> from distgrad.optim.lr_scheduler import ChainedScheduler, ExponentialLR, StepLR
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> parts = [ExponentialLR(optimizer, 0.5), StepLR(optimizer, 2, gamma=0.5)]
        >>> scheduler = ChainedScheduler(parts)
        >>> rates = []
        >>> for epoch in range(4):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [1.0, 0.5, 0.125, 0.0625]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        super().__init__(optimizer, schedulers)
        self._last_lr = self._present_lrs()

    def step(self) -> None:  # type: ignore[override]
        """Go on to the next epoch in every schedule."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._present_lrs()

    def _restart(self) -> None:
        for scheduler in self._schedulers:
            scheduler._restart()
        self._last_lr = self._present_lrs()

    def _present_lrs(self) -> list[float]:
        return self._schedulers[-1]._present_lrs()
