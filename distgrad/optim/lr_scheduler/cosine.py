"""`CosineAnnealingLR`: a learning rate that falls along half a cosine."""

import math

from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingLR"]


class CosineAnnealingLR(LRScheduler):
    """Lets the learning rate fall from its initial value to ``eta_min`` along half a cosine.

    Behind ``T_max`` it rises again the same way. I. Loshchilov, F. Hutter, "SGDR: stochastic
    gradient descent with warm restarts", ICLR 2017, without the restarts.

    Args:
        optimizer: Whose learning rates are set.
        T_max: Epochs until the minimum.
        eta_min: The smallest learning rate. Default: 0.
        last_epoch: The epoch that was the last; -1 begins anew.

    Raises:
        ValueError: If ``T_max`` is below 1.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = dg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
        >>> rates = []
        >>> for epoch in range(5):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> [round(rate, 4) for rate in rates]
        [1.0, 0.8536, 0.5, 0.1464, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 (PyTorch's name)
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_max < 1:
            raise ValueError(f"T_max must be at least 1, got {T_max}")
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of ``last_epoch``, from the present ones."""
        if self._starting:
            return self._present_lrs()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # At the minimum the quotient below would divide by zero.
            rise = (1.0 - math.cos(math.pi / self.T_max)) / 2.0
            return [
                lr + (base_lr - self.eta_min) * rise
                for lr, base_lr in zip(self._present_lrs(), self.base_lrs, strict=True)
            ]
        factor = self._height(self.last_epoch) / self._height(self.last_epoch - 1)
        return [factor * (lr - self.eta_min) + self.eta_min for lr in self._present_lrs()]

    def _get_closed_form_lr(self) -> list[float]:
        height = self._height(self.last_epoch) / 2.0
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]

    def _height(self, epoch: int) -> float:
        return 1.0 + math.cos(math.pi * epoch / self.T_max)
