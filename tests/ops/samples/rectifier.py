"""Samples of distgrad/ops/rectifier.py."""

from typing import Any

import numpy as np
import scipy.special
from ops.cases import Case, Row, case, unary


def wide(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """From -6 to 6, away from the kinks, which lie at 0, 0.5, 1, 3 and 4 and their negatives."""
    kinks = np.array([0.0, 0.5, 1.0, 3.0, 4.0, 6.0])
    place = generator.integers(0, 5, shape)
    part = generator.uniform(0.2, 0.8, shape)
    size = kinks[place] + part * (kinks[place + 1] - kinks[place])
    return size * generator.choice([-1.0, 1.0], shape)


def _cases(**attributes: Any) -> list[Case]:
    return [*unary(wide), case((4, 5), domain=wide), case((4, 5), domain=wide, **attributes)]


def _elu(x: Any, alpha: float = 1.0, scale: float = 1.0, inner: float = 1.0) -> Any:
    return np.where(x > 0, scale * x, scale * alpha * np.expm1(inner * np.minimum(x, 0)))


def _softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return np.where(beta * x > threshold, x, np.logaddexp(0, beta * x) / beta)


SAMPLES: dict[str, Row] = {
    "elu": Row(_cases(alpha=0.7, scale=1.3, inner=0.4), _elu),
    "hardshrink": Row(_cases(lambd=1.0), lambda x, lambd=0.5: np.where(np.abs(x) > lambd, x, 0)),
    "hardsigmoid": Row(_cases(), lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    "hardswish": Row(_cases(), lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    "hardtanh": Row(_cases(low=-3.0, high=0.5), lambda x, low=-1, high=1: np.clip(x, low, high)),
    "leaky_relu": Row(_cases(slope=0.3), lambda x, slope=0.01: np.where(x > 0, x, slope * x)),
    "log_sigmoid": Row(_cases(), scipy.special.log_expit),
    "softplus": Row([*_cases(beta=2.0, threshold=6.0), case(np.array([-40.0, 30.0]))], _softplus),
    "softshrink": Row(
        _cases(lambd=1.0), lambda x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0)
    ),
    "threshold": Row(
        [Case(c.inputs, {"threshold": 0.5, "value": -7.0} | c.attributes) for c in _cases()],
        lambda x, threshold, value: np.where(x > threshold, x, value),
    ),
}
