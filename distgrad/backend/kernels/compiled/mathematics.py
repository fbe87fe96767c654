"""Functions of a float32 without branches or tables, so that loops over them run in many lanes.

NaN stays NaN.
"""

import math
from typing import Any

import numpy as np

from distgrad.backend.kernels.compiled.compiling import fma, inlined, times_power_of_two

__all__ = ["exp_of_negative", "tanh"]

_ZERO, _ONE, _TWO = np.float32(0), np.float32(1), np.float32(2)

# exp(x) = 2 ** n * exp(r) with r = x - n * log(2), where log(2) is the sum of two float32, the
# first of them so short that n times it is exact. Adding 1.5 * 2 ** 23 rounds to a whole number,
# which then stands in the lowest bits.
_PER_LOG_2 = np.float32(1 / math.log(2))
_LOG_2_HIGH = np.float32(0.693145751953125)
_LOG_2_LOW = np.float32(math.log(2) - 0.693145751953125)
_ROUNDING = np.float32(1.5 * 2**23)
_LEAST = np.float32(-87.33)
# exp(r) = 1 + r + r ** 2 * P(r), where P is the best polynomial of its degree for |r| up to
# log(2) / 2: the relative error is 3e-9.
_E0 = np.float32(0.4999999403953552)
_E1 = np.float32(0.1666652113199234)
_E2 = np.float32(0.04166838899254799)
_E3 = np.float32(0.00836874544620514)
_E4 = np.float32(0.0013814540579915047)


@inlined
def exp_of_negative(x: Any) -> Any:
    """``exp(x)`` for x up to 0, to 1 unit in the last place; 0 below the smallest normal number."""
    bounded = _LEAST if x < _LEAST else x
    shifted = fma(bounded, _PER_LOG_2, _ROUNDING)
    n = shifted - _ROUNDING
    r = fma(-n, _LOG_2_LOW, fma(-n, _LOG_2_HIGH, bounded))
    p = fma(fma(fma(fma(_E4, r, _E3), r, _E2), r, _E1), r, _E0)
    y = times_power_of_two(fma(r * r, p, r) + _ONE, shifted)
    y = _ZERO if x < _LEAST else y
    return y if x == x else x  # of nan the lowest bits are no whole number


@inlined
def tanh(x: Any) -> Any:
    """The hyperbolic tangent, to 1e-7 of its largest value."""
    e = exp_of_negative(-_TWO * abs(x))
    size = (_ONE - e) / (_ONE + e)
    return -size if x < _ZERO else size
