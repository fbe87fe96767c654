"""Equality of bits."""

from distgrad.backend import Array

__all__ = ["same_bits"]


def same_bits(a: Array, b: Array) -> bool:
    """Tell whether two arrays hold the same bits, those of nan and of zeros among them.

    Example:
        >>> import numpy as np
        >>> same_bits(np.array([0.0, np.nan]), np.array([0.0, np.nan]))
        True
        >>> same_bits(np.array([0.0]), np.array([-0.0]))
        False
    """
    return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())
