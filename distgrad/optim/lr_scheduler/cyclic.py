"""`CyclicLR`: a learning rate that rises and falls again and again."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from distgrad.optim.lr_scheduler.functions import state_of, with_state
from distgrad.optim.lr_scheduler.momentum import set_momentum, start_momentum, uses_beta1
from distgrad.optim.lr_scheduler.per_group import per_group
from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["CyclicLR"]


class CyclicLR(LRScheduler):
    """Lets the learning rate go between ``base_lr`` and ``max_lr``, and the momentum against it.

    L. N. Smith, "Cyclical learning rates for training neural networks", WACV 2017.

    Args:
        optimizer: Whose learning rates are set.
        base_lr: The least learning rate, for all groups or for each.
        max_lr: The largest learning rate of the first cycle, for all groups or for each.
        step_size_up: Steps in which the rate rises. Default: 2000.
        step_size_down: Steps in which it falls. Default: as many.
        mode: How high the cycles are: "triangular", all alike; "triangular2", each half of the one
            before; "exp_range", multiplied by ``gamma`` at each step. Default: "triangular".
        gamma: The factor of "exp_range". Default: 1.
        scale_fn: A function of one number that says how high the cycles are, in place of ``mode``.
        scale_mode: Its number is that of the "cycle", from 1, or of the steps, "iterations".
        cycle_momentum: Whether the momentum, or the first of the betas, is changed too.
        base_momentum: The least momentum, at the largest rate. Default: 0.8.
        max_momentum: The largest momentum. Default: 0.9.
        last_epoch: The step that was the last; -1 begins anew.

    Raises:
        TypeError: If ``optimizer`` is none.
        ValueError: If there is no such mode, or if the optimizer has no momentum to cycle.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], momentum=0.9)
        >>> scheduler = dg.optim.lr_scheduler.CyclicLR(optimizer, 0.5, 1.0, step_size_up=2)
        >>> rates = []
        >>> for step in range(6):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [0.5, 0.75, 1.0, 0.75, 0.5, 0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(
                f"mode must be 'triangular', 'triangular2' or 'exp_range', got {mode!r}; or give "
                "scale_fn"
            )
        self.optimizer = optimizer
        base_lrs = per_group("base_lr", optimizer, base_lr)
        begins = last_epoch == -1
        if begins:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                group["lr"] = lr
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        down = float(step_size_up if step_size_down is None else step_size_down)
        self.total_size = float(step_size_up) + down
        self.step_ratio = float(step_size_up) / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        by_steps = scale_mode if scale_fn else "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = by_steps
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_beta1(optimizer)
            self.base_momentums, self.max_momentums = start_momentum(
                optimizer, base_momentum, max_momentum, begins=begins
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def get_lr(self) -> list[float]:
        """Return the rates of ``last_epoch``; the momentum is set."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        ratio = self.step_ratio
        height = x / ratio if x <= ratio else (x - 1.0) / (ratio - 1.0)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            momenta = zip(self._groups, self.base_momentums, self.max_momentums, strict=True)
            for group, least, most in momenta:
                set_momentum(group, most - (most - least) * height, self.use_beta1)
        return [
            least + (most - least) * height
            for least, most in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def scale_fn(self, x: float) -> float:
        """Return how high a cycle is, relative to the first one."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1.0 / 2.0 ** (x - 1) if self.mode == "triangular2" else float(self.gamma**x)

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer; of ``scale_fn`` what an object remembers."""
        return {**super().state_dict(), "_scale_fn_custom": state_of(self._scale_fn_custom)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        function = with_state(self._scale_fn_custom, state_dict["_scale_fn_custom"])
        super().load_state_dict({**state_dict, "_scale_fn_custom": function})
