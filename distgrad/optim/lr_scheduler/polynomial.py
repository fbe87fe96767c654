"""`PolynomialLR`: a learning rate that falls to zero along a power of the time that is left."""

from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["PolynomialLR"]


class PolynomialLR(LRScheduler):
    """Lets the learning rate fall as ``(1 - epoch / total_iters) ** power``, to 0.

    Args:
        optimizer: Whose learning rates are set.
        total_iters: Epochs until it is 0, and stays so. Default: 5.
        power: The exponent; 1 is a line. Default: 1.
        last_epoch: The epoch that was the last; -1 begins anew.

    Raises:
        ValueError: If ``total_iters`` is below 1.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = dg.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=2)
        >>> rates = []
        >>> for epoch in range(6):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> [round(rate, 4) for rate in rates]
        [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        if total_iters < 1:
            raise ValueError(f"total_iters must be at least 1, got {total_iters}")
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the present rates, multiplied by the quotient of two neighbouring factors."""
        if self._starting or self.last_epoch > self.total_iters:
            return self._present_lrs()
        left = 1.0 - self.last_epoch / self.total_iters
        before = 1.0 - (self.last_epoch - 1) / self.total_iters
        return [lr * (left / before) ** self.power for lr in self._present_lrs()]

    def _get_closed_form_lr(self) -> list[float]:
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [lr * left**self.power for lr in self.base_lrs]
