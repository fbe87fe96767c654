"""Samples of distgrad/ops/rounding.py."""

from typing import Any

import numpy as np
from ops.cases import Case, Row, binary, case, unary, whole


def between(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """From -3 to 3, at least 0.1 off the steps, which lie at whole and half numbers."""
    return generator.integers(-6, 6, shape) / 2 + generator.uniform(0.1, 0.4, shape)


def _quotients() -> list[Case]:
    """Dividends and divisors whose quotients are not near whole numbers."""
    pairs: list[tuple[Any, Any]] = [
        ([[7.5, -7.5, 1.0], [2.2, -2.2, 0.3]], [[2.0, 2.0, -3.0], [-1.5, -1.5, 5.0]]),
        ([7.5, -7.5], 2.0),
        (7.5, [[2.0], [-3.0]]),
        (-7.5, 2.0),
        (np.ones((0, 3)), np.ones(3)),
    ]
    numbers = [Case((np.array([7.5, -7.5]), 2.0)), Case((7.5, np.array([2.0, -2.0])))]
    return [Case((np.array(a), np.array(b))) for a, b in pairs] + numbers


_STEPS = unary(between)
_PAIRS = _quotients()


SAMPLES: dict[str, Row] = {
    "angle": Row([*unary(), case(np.array([-2.0, np.inf, -np.inf]))], lambda x: np.pi * (x < 0)),
    "heaviside": Row(binary(whole)[:-2], constants=None),
    "nextafter": Row(binary(), constants=None),
    "ceil": Row(_STEPS),
    "copysign": Row(_PAIRS),
    "floor": Row(_STEPS),
    "floor_divide": Row(_PAIRS),
    "fmod": Row(_PAIRS),
    "frac": Row(_STEPS, lambda x: np.modf(x)[0]),
    "nan_to_num": Row(
        [
            *unary(),
            case((2, 3), nan=1.0, posinf=2.0, neginf=3.0),
        ],
    ),
    "remainder": Row(_PAIRS),
    "round": Row([*_STEPS, case((2, 3), domain=between, decimals=-1)]),
    "sign": Row(unary()),
    "trunc": Row(_STEPS),
    "trunc_divide": Row(_PAIRS, lambda a, b: np.trunc(np.true_divide(a, b))),
    "zeros_like": Row(_STEPS, constants=None),
}
