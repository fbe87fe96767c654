"""Samples of distgrad/ops/trigonometry.py."""

import numpy as np
from ops.cases import Row, binary, case, unary


def _within_one(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.uniform(-0.9, 0.9, shape)


def _above_one(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.uniform(1.3, 3, shape)


def _sinc(x: np.ndarray, order: int = 0) -> np.ndarray:
    """The mean of the derivatives of cos(pi x t) over t from 0 to 1, by Gauss and Legendre."""
    places, weights = np.polynomial.legendre.leggauss(40)
    t = (places + 1) / 2
    values = (np.pi * t) ** order * np.cos(np.pi * x[..., None] * t + order * np.pi / 2)
    return values @ (weights / 2)


SAMPLES: dict[str, Row] = {
    "arccos": Row(unary(_within_one)),
    "arccosh": Row(unary(_above_one)),
    "arcsin": Row(unary(_within_one)),
    "arcsinh": Row(unary()),
    "arctan": Row(unary()),
    "arctan2": Row(binary()),
    "arctanh": Row(unary(_within_one)),
    "cos": Row(unary()),
    "cosh": Row(unary()),
    "hypot": Row(binary()),
    "sin": Row(unary()),
    "sinc": Row(
        [
            *[case(np.array([0.0, 0.1, -0.3, 0.5, 1.7, -4.0]), order=n) for n in range(5)],
            case(np.array(0.0)),
            case((0, 2)),
        ],
        _sinc,
    ),
    "sinh": Row(unary()),
    "tan": Row(unary(_within_one)),
    "tanh": Row(unary()),
}
