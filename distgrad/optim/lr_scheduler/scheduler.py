"""`LRScheduler`: what all schedules share."""

from collections.abc import Mapping, Sequence
from typing import Any

from distgrad.optim.optimizer import Optimizer, ParamGroup

__all__ = ["LRScheduler"]


class LRScheduler:
    """Base class of schedules; subclasses define `get_lr`.

    Making a scheduler sets the learning rates of its first epoch. To go on from a checkpoint, make
    it first and then call its and the optimizer's ``load_state_dict``. A group of parameters that
    is added later keeps its learning rate, as in PyTorch.

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

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch and set its learning rates; call it after the optimizer's.

        Args:
            epoch: Go to this one instead. Where a schedule can say the rates of an epoch without
                those before, they are set; others compute them from the present ones.
        """
        self._step_count += 1
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set_lrs(self.get_lr() if epoch is None else self._get_closed_form_lr())

    def _get_closed_form_lr(self) -> list[float]:
        """Return the rates of ``last_epoch``, from the initial ones where a formula gives them."""
        return self.get_lr()

    def _set_lrs(self, lrs: Sequence[float]) -> None:
        for group, lr in zip(self._groups, lrs, strict=True):
            group["lr"] = lr
        self._last_lr: list[float] = self._present_lrs()

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.__dict__.update(state_dict)

    def _begin(self) -> None:
        """Begin anew from the initial learning rates, at a time that another schedule chooses."""
        for group in self.optimizer.param_groups:
            if "initial_lr" in group:
                group["lr"] = group["initial_lr"]
        self._restart()

    def _take_over(self) -> None:
        """Begin behind another schedule."""
        self._begin()

    def _restart(self) -> None:
        """Begin anew from the present learning rates."""
        self.last_epoch = -1
        self._step_count = 0
        self.step()

    @property
    def _starting(self) -> bool:
        """Whether this is the step that belongs to making the scheduler."""
        return self._step_count == 1

    def _present_lrs(self) -> list[float]:
        return [group["lr"] for group in self._groups]

    @property
    def _groups(self) -> list[ParamGroup]:
        """The groups that the optimizer had when the schedule was made."""
        return self.optimizer.param_groups[: len(self.base_lrs)]
