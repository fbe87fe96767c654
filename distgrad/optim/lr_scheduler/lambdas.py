"""`LambdaLR` and `MultiplicativeLR`: learning rates by a function of one's own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from distgrad.optim.lr_scheduler.functions import state_of, with_state
from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.optimizer import Optimizer

__all__ = ["LambdaLR", "MultiplicativeLR"]

Factor: TypeAlias = Callable[[int], float]
"""Maps the number of an epoch to a factor of the learning rate."""


class _ByFunction(LRScheduler):
    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        groups = len(optimizer.param_groups)
        functions = list(lr_lambda) if isinstance(lr_lambda, Sequence) else [lr_lambda] * groups
        if len(functions) != groups:
            raise ValueError(
                f"there are {len(functions)} functions for {groups} parameter groups; give one for "
                "each, or one for all"
            )
        for function in functions:
            if not callable(function):
                raise TypeError(
                    f"lr_lambda must be a function of the epoch, but got {type(function).__name__}"
                )
        self.lr_lambdas = functions
        super().__init__(optimizer, last_epoch)

    def _factors(self) -> list[float]:
        return [function(self.last_epoch) for function in self.lr_lambdas]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer; of functions what objects remember."""
        return {**super().state_dict(), "lr_lambdas": [state_of(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        pairs = zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True)
        functions = [with_state(function, state) for function, state in pairs]
        super().load_state_dict({**state_dict, "lr_lambdas": functions})


class LambdaLR(_ByFunction):
    """Sets the learning rate to the initial one times a function of the epoch.

    Args:
        optimizer: Whose learning rates are set.
        lr_lambda: The function, for all groups or a list of one for each. An object that can be
            called is saved with the schedule; a function is not.
        last_epoch: The epoch that was the last; -1 begins anew.

    Raises:
        TypeError: If ``lr_lambda`` is no function.
        ValueError: If there is another number of functions than of groups.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = dg.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
        >>> rates = []
        >>> for epoch in range(4):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> [round(rate, 4) for rate in rates]
        [1.0, 0.5, 0.3333, 0.25]
    """

    def get_lr(self) -> list[float]:
        """Return the initial rates, multiplied by the function's values."""
        return [lr * factor for lr, factor in zip(self.base_lrs, self._factors(), strict=True)]


class MultiplicativeLR(_ByFunction):
    """Multiplies the learning rate at each epoch by a function of it.

    Args:
        optimizer: Whose learning rates are set.
        lr_lambda: The function, for all groups or a list of one for each. An object that can be
            called is saved with the schedule; a function is not.
        last_epoch: The epoch that was the last; -1 begins anew.

    Raises:
        TypeError: If ``lr_lambda`` is no function.
        ValueError: If there is another number of functions than of groups.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> scheduler = dg.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.5)
        >>> rates = []
        >>> for epoch in range(4):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [1.0, 0.5, 0.25, 0.125]
    """

    def get_lr(self) -> list[float]:
        """Return the present rates, multiplied by the function's values."""
        lrs = self._present_lrs()
        if self._starting:
            return lrs
        return [lr * factor for lr, factor in zip(lrs, self._factors(), strict=True)]

    def _take_over(self) -> None:
        self.last_epoch = -1
        self.step()
