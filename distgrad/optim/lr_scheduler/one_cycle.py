"""`OneCycleLR`: a learning rate that rises once and falls again, far below where it began."""

import math
from collections.abc import Sequence
from typing import Any, Literal

from distgrad.optim.lr_scheduler.momentum import set_momentum, start_momentum, uses_beta1
from distgrad.optim.lr_scheduler.per_group import per_group
from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer, ParamGroup

__all__ = ["OneCycleLR"]


class OneCycleLR(LRScheduler):
    """Lets the learning rate rise to ``max_lr`` and fall, and the momentum fall and rise.

    L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using large
    learning rates", 2017.

    Args:
        optimizer: Whose learning rates are set.
        max_lr: The largest learning rate, for all groups or for each.
        total_steps: Steps of the cycle. Default: ``epochs * steps_per_epoch``.
        epochs: Epochs of the cycle.
        steps_per_epoch: Steps of an epoch.
        pct_start: The share of the steps in which the rate rises. Default: 0.3.
        anneal_strategy: "cos", along half a cosine, or "linear". Default: "cos".
        cycle_momentum: Whether the momentum, or the first of the betas, is changed too.
        base_momentum: The least momentum, at the largest rate. Default: 0.85.
        max_momentum: The largest momentum. Default: 0.95.
        div_factor: The first learning rate is ``max_lr / div_factor``. Default: 25.
        final_div_factor: The last one is the first divided by this. Default: 1e4.
        three_phase: Fall to the first rate as long as it rose, and then to the last one.
        last_epoch: The step that was the last; -1 begins anew.

    Raises:
        TypeError: If ``optimizer`` is none.
        ValueError: If an argument is out of range, if the number of steps is not given, or if more
            are made.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0, momentum=0.9)
        >>> scheduler = dg.optim.lr_scheduler.OneCycleLR(
        ...     optimizer, max_lr=1.0, total_steps=5, pct_start=0.6, anneal_strategy="linear",
        ...     div_factor=5, final_div_factor=10)
        >>> rates = []
        >>> for step in range(5):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> [round(rate, 4) for rate in rates]
        [0.2, 0.6, 1.0, 0.51, 0.02]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        if not 0.0 <= pct_start <= 1.0:
            raise ValueError(f"pct_start must be from 0 to 1, got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        self.optimizer = optimizer
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        self._anneal_func_type = anneal_strategy
        begins = last_epoch == -1
        for group, highest in zip(
            optimizer.param_groups, per_group("max_lr", optimizer, max_lr), strict=True
        ):
            if begins:
                first = highest / div_factor
                group.update(initial_lr=first, max_lr=highest, min_lr=first / final_div_factor)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_beta1(optimizer)
            start_momentum(optimizer, base_momentum, max_momentum, begins=begins)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of ``last_epoch``; the momentum is set."""
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"the cycle has {self.total_steps} steps, and this would be the {self.last_epoch}th"
                "; give it as many total_steps as there are optimizer steps"
            )
        start = 0.0
        for phase in self._schedule_phases:
            if self.last_epoch <= phase["end_step"]:
                break
            if phase is not self._schedule_phases[-1]:
                start = phase["end_step"]
        length = phase["end_step"] - start
        share = (self.last_epoch - start) / length if length else 1.0
        if self.cycle_momentum:
            for group in self._groups:
                set_momentum(group, self._between(group, phase, "momentum", share), self.use_beta1)
        return [self._between(group, phase, "lr", share) for group in self._groups]

    def _between(
        self, group: ParamGroup, phase: dict[str, Any], quantity: str, share: float
    ) -> float:
        start, end = group[phase[f"start_{quantity}"]], group[phase[f"end_{quantity}"]]
        if self._anneal_func_type == "linear":
            return float((end - start) * share + start)
        return float(end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1.0))


def _total_steps(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is None and (epochs is None or steps_per_epoch is None):
        raise ValueError("give total_steps, or both epochs and steps_per_epoch")
    counts = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    if total_steps is not None:
        counts = {"total_steps": total_steps}
    for name, count in counts.items():
        if not isinstance(count, int) or count < 1:
            raise ValueError(f"{name} must be an integer above 0, got {count}")
    return math.prod(count for count in counts.values() if count)


def _phases(total_steps: int, pct_start: float, three_phase: bool) -> list[dict[str, Any]]:
    """Return the phases under the names that PyTorch's state has."""
    turns: list[tuple[float, str, str, str, str]] = [
        (pct_start * total_steps - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    ]
    if three_phase:
        end = 2 * pct_start * total_steps - 2
        turns += [
            (end, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
            (total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
        ]
    else:
        turns.append((total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"))
    names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    return [dict(zip(names, turn, strict=True)) for turn in turns]
