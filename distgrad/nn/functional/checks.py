"""What several functions check of their arguments."""

import numpy as np

from distgrad.backend.dtypes import is_floating
from distgrad.tensor import Tensor

__all__ = ["check_floating", "check_reduction", "in_single"]

_REDUCTIONS = ("none", "mean", "sum")


def check_floating(name: str, input: Tensor) -> None:
    """Refuse an input that is not of floating-point type."""
    if not is_floating(input.dtype):
        raise TypeError(f"{name}: the input must be of floating-point type, not {input.dtype}")


def in_single(input: Tensor) -> Tensor:
    """Return a tensor of 16 bits in float32, for sums that need more digits; others as they are."""
    return input.to(np.float32) if input.dtype.itemsize == 2 else input


def check_reduction(name: str, reduction: str) -> None:
    """Refuse an unknown reduction of a loss."""
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{name}: reduction must be one of {_REDUCTIONS}, got {reduction!r}")
