"""`LinearLR`: a learning rate that goes along a line."""

from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["LinearLR"]


class LinearLR(LRScheduler):
    """Multiplies the learning rate by a factor that goes linearly from start to end: a warm-up.

    Args:
        optimizer: Whose learning rates are set.
        start_factor: The factor of epoch 0, above 0 and at most 1. Default: 1/3.
        end_factor: The factor from epoch ``total_iters`` on, from 0 to 1. Default: 1.
        total_iters: Epochs until the end is reached. Default: 5.
        last_epoch: The epoch that was the last; -1 begins anew.

    Raises:
        ValueError: If a factor or ``total_iters`` is out of range.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = dg.optim.lr_scheduler.LinearLR(optimizer, 0.25, total_iters=3)
        >>> rates = []
        >>> for epoch in range(5):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0.0 < start_factor <= 1.0:
            raise ValueError(f"start_factor must be above 0 and at most 1, got {start_factor}")
        if not 0.0 <= end_factor <= 1.0:
            raise ValueError(f"end_factor must be from 0 to 1, got {end_factor}")
        if total_iters < 1:
            raise ValueError(f"total_iters must be at least 1, got {total_iters}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the present rates, multiplied by the quotient of two neighbouring factors."""
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in self._present_lrs()]
        if self._starting or self.last_epoch > self.total_iters:
            return self._present_lrs()
        slope = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * slope
        return [lr * (1.0 + slope / before) for lr in self._present_lrs()]

    def _get_closed_form_lr(self) -> list[float]:
        slope = (self.end_factor - self.start_factor) / self.total_iters
        factor = self.start_factor + slope * min(self.total_iters, self.last_epoch)
        return [lr * factor for lr in self.base_lrs]
