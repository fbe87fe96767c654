"""Samples of distgrad/ops/integer.py."""

import math

import numpy as np
from ops.cases import Case, Row

_PAIRS = [
    Case((np.array([12, -9, 0, 7]), np.array([8, 6, 0, -1]))),
    Case((np.array([[12], [9]]), np.array([1, 2, 3]))),
    Case((np.array(12), np.array([8, 6]))),
    Case((np.array([8, 6]), np.array(12))),
    Case((np.ones((0, 2), np.int64), np.array([1, 2]))),
]
_SHIFTS = [
    Case((np.array([5, -5, 0, 1]), np.array([0, 1, 2, 40]))),
    Case((np.array([[5], [-5]]), np.array([1, 2, 3]))),
    Case((np.array(5), np.array([1, 2]))),
    Case((np.array([5, 6]), np.array(1))),
    Case((np.ones((0, 2), np.int64), np.array([1, 2]))),
]


SAMPLES: dict[str, Row] = {
    "gcd": Row(_PAIRS, np.vectorize(math.gcd, [int]), constants=None),
    "lcm": Row(_PAIRS, np.vectorize(math.lcm, [int]), constants=None),
    "left_shift": Row(_SHIFTS, lambda a, b: a * 2**b, constants=None),
    "right_shift": Row(_SHIFTS, lambda a, b: a // 2**b, constants=None),
}
