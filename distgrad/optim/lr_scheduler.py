"""Learning-rate schedules; an epoch is whatever lies between two calls of ``step``.

Each computes the next learning rate from the present one, as PyTorch's do, so several schedules of
one optimizer combine: their factors multiply.
"""

import math
from collections.abc import Mapping
from typing import Any

from distgrad.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "LRScheduler", "LinearLR", "StepLR"]


class LRScheduler:
    """Base class of schedules; subclasses define `get_lr`.

    Making a scheduler sets the learning rates of its first epoch. To go on from a checkpoint, make
    it first and then call its and the optimizer's ``load_state_dict``.

    Args:
        optimizer: Whose learning rates are set.
        last_epoch: The epoch that was the last; -1 begins anew.

    Attributes:
        last_epoch: The number of the present epoch, from 0.
        base_lrs: The learning rate of each group before any schedule.

    Raises:
        TypeError: If ``optimizer`` is none.
        KeyError: If ``last_epoch`` is given and a group has no "initial_lr".
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for place, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{place}], so the "
                    f"schedule cannot go on from last_epoch={last_epoch}; load the optimizer's "
                    "state first, or begin with last_epoch=-1"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self.step()

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group for epoch ``last_epoch``, from the present one."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def get_last_lr(self) -> list[float]:
        """Return the learning rates that this scheduler set last."""
        return self._last_lr

    def step(self) -> None:
        """Go on to the next epoch and set its learning rates; call it after the optimizer's."""
        self._step_count += 1
        self.last_epoch += 1
        groups = self.optimizer.param_groups
        for group, lr in zip(groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr: list[float] = [group["lr"] for group in groups]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.__dict__.update(state_dict)

    @property
    def _starting(self) -> bool:
        """Whether this is the step that belongs to making the scheduler."""
        return self._step_count == 1

    def _present_lrs(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]


class StepLR(LRScheduler):
    """Multiplies the learning rate by ``gamma`` every ``step_size`` epochs.

    Args:
        optimizer: Whose learning rates are set.
        step_size: Epochs between two changes.
        gamma: The factor. Default: 0.1.
        last_epoch: The epoch that was the last; -1 begins anew.

    Raises:
        ValueError: If ``step_size`` is below 1.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=0.5)
        >>> scheduler = dg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
        >>> rates = []
        >>> for epoch in range(5):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [0.5, 0.5, 0.25, 0.25, 0.125]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if step_size < 1:
            raise ValueError(f"step_size must be at least 1, got {step_size}")
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the present rates, multiplied if ``last_epoch`` is a multiple of the step size."""
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return self._present_lrs()
        return [lr * self.gamma for lr in self._present_lrs()]


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

    def _height(self, epoch: int) -> float:
        return 1.0 + math.cos(math.pi * epoch / self.T_max)
