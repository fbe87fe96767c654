"""Values that are given once for all parameter groups, or for each of them."""

from collections.abc import Sequence

from distgrad.optim.optimizer import Optimizer

__all__ = ["per_group"]


def per_group(name: str, optimizer: Optimizer, value: float | Sequence[float]) -> list[float]:
    """Return one value for each group of the optimizer.

    Raises:
        ValueError: If there are values for another number of groups.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(value, Sequence):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name} has {len(value)} values, but the optimizer has {groups} parameter groups; "
            "give one for each, or one number for all"
        )
    return list(value)
