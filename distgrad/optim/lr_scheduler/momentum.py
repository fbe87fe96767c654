"""The momentum of an optimizer, which some schedules change against the learning rate."""

from collections.abc import Sequence

from distgrad.optim.lr_scheduler.per_group import per_group
from distgrad.optim.optimizer import Optimizer, ParamGroup

__all__ = ["set_momentum", "start_momentum", "uses_beta1"]


def uses_beta1(optimizer: Optimizer) -> bool:
    """Tell whether the momentum is the first of "betas", and not called "momentum".

    Raises:
        ValueError: If the optimizer has neither.
    """
    if not {"momentum", "betas"} & optimizer.defaults.keys():
        raise ValueError(
            "optimizer must support momentum or beta1 with cycle_momentum=True, and "
            f"{type(optimizer).__name__} has neither; pass cycle_momentum=False"
        )
    return "betas" in optimizer.defaults


def start_momentum(
    optimizer: Optimizer,
    least: float | Sequence[float],
    most: float | Sequence[float],
    *,
    begins: bool,
) -> tuple[list[float], list[float]]:
    """Return the least and the largest momentum of each group, and set the largest.

    Args:
        optimizer: The optimizer.
        least: The least, for all groups or for each.
        most: The largest.
        begins: Whether the schedule begins; one that goes on finds them in the groups.
    """
    smallest = per_group("base_momentum", optimizer, least)
    largest = per_group("max_momentum", optimizer, most)
    if begins:
        for group, low, high in zip(optimizer.param_groups, smallest, largest, strict=True):
            group["base_momentum"], group["max_momentum"] = low, high
            set_momentum(group, high, uses_beta1(optimizer))
    return smallest, largest


def set_momentum(group: ParamGroup, momentum: float, use_beta1: bool) -> None:
    """Set the momentum of a group."""
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum
