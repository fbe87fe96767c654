"""What losses share: their shapes, and how their terms become one number."""

import math
import warnings

from distgrad.nn.functional.checks import check_reduction
from distgrad.tensor import Tensor

__all__ = ["reduced", "warn_of_broadcasting"]


def reduced(name: str, terms: Tensor, reduction: str) -> Tensor:
    """Return the terms of a loss, their sum, or their mean; the mean of nothing is nan.

    Raises:
        ValueError: If the reduction is unknown.
    """
    check_reduction(name, reduction)
    if reduction == "none":
        return terms
    total = terms.sum()
    return total / (terms.numel() or math.nan) if reduction == "mean" else total


def warn_of_broadcasting(name: str, input: Tensor, target: Tensor) -> None:
    """Warn where input and target have different shapes, as PyTorch does: it is rarely meant."""
    if input.shape != target.shape:
        warnings.warn(
            f"{name}: input and target should have one shape, got {input.shape} and "
            f"{target.shape}, which broadcast; reshape() one of them",
            UserWarning,
            stacklevel=3,
        )
