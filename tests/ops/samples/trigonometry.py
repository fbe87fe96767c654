"""Samples of distgrad/ops/trigonometry.py."""

import numpy as np
from ops.cases import Row, binary, unary


def _within_one(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.uniform(-0.9, 0.9, shape)


SAMPLES: dict[str, Row] = {
    "arccos": Row(unary(_within_one)),
    "arcsin": Row(unary(_within_one)),
    "arctan": Row(unary()),
    "arctan2": Row(binary()),
    "cos": Row(unary()),
    "cosh": Row(unary()),
    "hypot": Row(binary()),
    "sin": Row(unary()),
    "sinh": Row(unary()),
    "tan": Row(unary(_within_one)),
    "tanh": Row(unary()),
}
