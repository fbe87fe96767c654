"""Samples of distgrad/ops/activation.py."""

import numpy as np
import scipy.special
import scipy.stats
from ops.cases import Row, case, unary


def _gelu(x: np.ndarray, approximate: str = "none") -> np.ndarray:
    if approximate == "none":
        return x * scipy.stats.norm.cdf(x)
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * np.power(x, 3)))) / 2


def _gelu_x(g: np.ndarray, x: np.ndarray, approximate: str) -> np.ndarray:
    if approximate == "none":
        return g * (scipy.stats.norm.cdf(x) + x * scipy.stats.norm.pdf(x))
    inner = np.sqrt(2 / np.pi) * (x + 0.044715 * np.power(x, 3))
    slope = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * np.power(x, 2))
    return g * ((1 + np.tanh(inner)) / 2 + x / 2 * slope / np.cosh(inner) ** 2)


SAMPLES: dict[str, Row] = {
    "gelu_x": Row(
        [
            case(shape, shape, approximate=form)
            for shape in ((2, 3), (), (0, 3))
            for form in ("none", "tanh")
        ],
        _gelu_x,
    ),
    "gelu": Row(
        [*unary(), *[case((2, 3), approximate=form) for form in ("none", "tanh")]],
        _gelu,
    ),
    "sigmoid": Row(
        [*unary(), case(np.array([-40.0, 40.0, -2.0, 0.0]))],
        scipy.special.expit,
    ),
    "softmax": Row(
        [
            case((2, 3), axis=1),
            case((2, 3, 2), axis=0),
            case((4,), axis=-1),
            case((), axis=-1),
            case((0, 3), axis=1),
        ],
        lambda x, axis: scipy.special.softmax(x, axis=axis) if x.ndim else np.ones(()),
    ),
    "softmax_x": Row(
        [
            case((2, 3), (2, 3), axis=1),
            case((2, 3, 2), (2, 3, 2), axis=-2),
            case((), (), axis=-1),
            case((0, 3), (0, 3), axis=1),
        ],
        lambda g, p, axis: p * (g - np.sum(g * p, axis=axis if g.ndim else None, keepdims=True)),
    ),
}
