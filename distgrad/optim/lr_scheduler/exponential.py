"""`ExponentialLR`: a learning rate that falls by the same factor at each epoch."""

from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["ExponentialLR"]


class ExponentialLR(LRScheduler):
    """Multiplies the learning rate by ``gamma`` at each epoch.

    Args:
        optimizer: Whose learning rates are set.
        gamma: The factor.
        last_epoch: The epoch that was the last; -1 begins anew.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = dg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> rates = []
        >>> for epoch in range(4):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the present rates, multiplied by the factor."""
        if self._starting:
            return self._present_lrs()
        return [lr * self.gamma for lr in self._present_lrs()]

    def _get_closed_form_lr(self) -> list[float]:
        return [lr * self.gamma**self.last_epoch for lr in self.base_lrs]
