"""`ConstantLR`: a learning rate that is smaller for some epochs."""

from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["ConstantLR"]


class ConstantLR(LRScheduler):
    """Multiplies the learning rate by a factor for the first ``total_iters`` epochs.

    Args:
        optimizer: Whose learning rates are set.
        factor: The factor, from 0 to 1. Default: 1/3.
        total_iters: For how many epochs. Default: 5.
        last_epoch: The epoch that was the last; -1 begins anew.

    Raises:
        ValueError: If the factor is out of range.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = dg.optim.lr_scheduler.ConstantLR(optimizer, 0.25, total_iters=2)
        >>> rates = []
        >>> for epoch in range(4):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [0.25, 0.25, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0.0 <= factor <= 1.0:
            raise ValueError(f"factor must be from 0 to 1, got {factor}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the present rates, multiplied at first, and divided at the end of its time."""
        if self.last_epoch == 0:
            return [lr * self.factor for lr in self._present_lrs()]
        if self.last_epoch != self.total_iters:
            return self._present_lrs()
        if self.factor == 0.0:  # which no division undoes
            return list(self.base_lrs)
        return [lr * (1.0 / self.factor) for lr in self._present_lrs()]

    def _get_closed_form_lr(self) -> list[float]:
        is_over = self.last_epoch >= self.total_iters
        return [lr * (self.factor + is_over * (1.0 - self.factor)) for lr in self.base_lrs]
