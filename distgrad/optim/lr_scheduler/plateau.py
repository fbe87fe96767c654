"""`ReduceLROnPlateau`: a learning rate that falls when a number does not get better."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, SupportsFloat

from distgrad.optim.lr_scheduler.per_group import per_group
from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiplies the learning rate by ``factor`` once a number has not got better for a while.

    Every rank has to decide alike, so the number must be the same on all of them, to the bit: the
    ``loss`` that `DataParallel.accumulate` returns is, and so is what `DataParallel.evaluate`
    returns. A loss that a rank has computed of its own samples is not.

    Args:
        optimizer: Whose learning rates are set.
        mode: "min" where less is better, "max" where more is. Default: "min".
        factor: The factor, below 1. Default: 0.1.
        patience: Steps in a row that may bring nothing better before the next one that does not
            lets the rate fall. Default: 10.
        threshold: By how much a number must be better to count. Default: 1e-4.
        threshold_mode: "rel", a share of the best number so far, or "abs". Default: "rel".
        cooldown: Steps after a change that do not count. Default: 0.
        min_lr: The smallest learning rate, for all groups or for each. Default: 0.
        eps: A change of the rate that is not larger than this is left out. Default: 1e-8.

    Raises:
        TypeError: If ``optimizer`` is none.
        ValueError: If ``factor`` is not below 1, a mode is unknown, or ``min_lr`` is not given for
            each group.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = dg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
        >>> rates = []
        >>> for loss in [3.0, 2.0, 2.0, 2.0, 1.0]:
        ...     optimizer.step()
        ...     scheduler.step(loss)
        ...     rates += scheduler.get_last_lr()
        >>> rates
        [1.0, 1.0, 1.0, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError(f"factor must be below 1, or the rate does not fall; got {factor}")
        for name, value, known in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {known}, got {value!r}")
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        self.factor = factor
        self.default_min_lr = None if isinstance(min_lr, Sequence) else min_lr
        self.min_lrs = per_group("min_lr", optimizer, min_lr)
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.last_epoch = 0
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self._last_lr = self._present_lrs()

    def step(self, metrics: SupportsFloat) -> None:  # type: ignore[override]
        """Take the number of a step, the same on every rank, and set the learning rates.

        Args:
            metrics: The number. One that is not a number is not better than any.
        """
        current = float(metrics)
        self.last_epoch += 1
        if self._is_better(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._present_lrs()

    @property
    def in_cooldown(self) -> bool:
        """Whether steps do not count at present, because the rate has just been changed."""
        return self.cooldown_counter > 0

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        super().load_state_dict(state_dict)
        self.mode_worse = math.inf if self.mode == "min" else -math.inf

    def _is_better(self, current: float) -> bool:
        sign = 1.0 if self.mode == "min" else -1.0
        if self.threshold_mode == "rel":
            bound = self.best * (1.0 - sign * self.threshold)
        else:
            bound = self.best - sign * self.threshold
        return sign * current < sign * bound

    def _reduce(self) -> None:
        groups = self._groups
        if len(self.min_lrs) != len(groups):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"there are {len(groups)} parameter groups now, and min_lr was given for "
                    f"{len(self.min_lrs)}; append those of the new groups to min_lrs"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            lower = max(group["lr"] * self.factor, least)
            if group["lr"] - lower > self.eps:
                group["lr"] = lower

    @property
    def _groups(self) -> list[dict[str, Any]]:
        return self.optimizer.param_groups
