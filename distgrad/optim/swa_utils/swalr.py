"""`SWALR`: a learning rate that goes to a constant one, with which weights are averaged."""

import math
from collections.abc import Sequence
from typing import Literal

from distgrad.optim.lr_scheduler import LRScheduler
from distgrad.optim.lr_scheduler.per_group import per_group
from distgrad.optim.optimizer import Optimizer

__all__ = ["SWALR"]


class SWALR(LRScheduler):
    """Lets the learning rate go to ``swa_lr`` and stay there.

    Args:
        optimizer: Whose learning rates are set.
        swa_lr: The learning rate at the end, for all groups or for each.
        anneal_epochs: Epochs until it is reached. Default: 10.
        anneal_strategy: "cos", along half a cosine, or "linear". Default: "cos".
        last_epoch: The epoch that was the last; -1 begins anew.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
        >>> rates = []
        >>> for epoch in range(4):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [1.0, 0.75, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be an integer from 0 on, got {anneal_epochs}")
        rates = per_group("swa_lr", optimizer, swa_lr)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the next epoch, from the present ones."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, after = self._share(step - 1), self._share(step)
        rates = []
        for group in self._groups:
            final = group["swa_lr"]
            first = final if before == 1.0 else (group["lr"] - before * final) / (1.0 - before)
            rates.append(final * after + first * (1.0 - after))
        return rates

    def _share(self, step: int) -> float:
        """Return how far the way to the constant rate is gone."""
        share = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return share if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * share)) / 2
