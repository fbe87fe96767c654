"""`CosineAnnealingWarmRestarts`: half cosines, each from the initial learning rate again."""

import math

from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingWarmRestarts"]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Lets the learning rate fall along half a cosine, again and again.

    I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Args:
        optimizer: Whose learning rates are set.
        T_0: Epochs until the first restart.
        T_mult: Each time is so many times as long as the one before. Default: 1.
        eta_min: The smallest learning rate. Default: 0.
        last_epoch: The epoch that was the last; -1 begins anew.

    Raises:
        ValueError: If ``T_0`` or ``T_mult`` is no integer above 0.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = dg.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 2, T_mult=2)
        >>> rates = []
        >>> for epoch in range(7):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> [round(rate, 4) for rate in rates]
        [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803 (PyTorch's name)
        T_mult: int = 1,  # noqa: N803
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be an integer above 0, got {value}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the place in the present cosine."""
        height = (1.0 + math.cos(math.pi * self.T_cur / self.T_i)) / 2.0
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch and set its learning rates.

        Args:
            epoch: Go to this one instead; it may lie between two.

        Raises:
            ValueError: If it is negative.
        """
        if epoch is None and self.last_epoch >= 0:
            self.last_epoch += 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self._go_to(0 if epoch is None else epoch)
        self._set_lrs(self.get_lr())

    def _go_to(self, epoch: float) -> None:
        if epoch < 0:
            raise ValueError(f"the epoch must not be negative, got {epoch}")
        self.last_epoch = math.floor(epoch)
        start, self.T_i = 0, self.T_0
        if self.T_mult == 1:
            start = self.last_epoch // self.T_0 * self.T_0
        else:
            while epoch >= start + self.T_i:
                start += self.T_i
                self.T_i *= self.T_mult
        self.T_cur = epoch - start
