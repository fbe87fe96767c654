"""Samples of distgrad/ops/solve.py."""

from typing import Any

import numpy as np
from ops.cases import Row, case


def regular(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Square matrices far from singular ones; others of any kind."""
    x = generator.uniform(-1, 1, shape)
    return x + 2 * np.eye(shape[-1]) if shape[-1] == shape[-2] else x


def definite(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Symmetric matrices with eigenvalues above 1."""
    x = generator.uniform(-1, 1, shape)
    return x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1])


def _cholesky(x: Any) -> np.ndarray:
    """Row by row."""
    y = np.zeros(x.shape)
    for i in range(x.shape[-1]):
        for j in range(i + 1):
            rest = x[..., i, j] - (y[..., i, :j] * y[..., j, :j]).sum(-1)
            y[..., i, j] = np.sqrt(rest) if i == j else rest / y[..., j, j]
    return y


SQUARE = [(3, 3), (2, 2, 2), (1, 1), (0, 0), (0, 2, 2)]

SAMPLES: dict[str, Row] = {
    "cholesky": Row([case(shape, domain=definite) for shape in SQUARE], _cholesky, lacks=("0-d",)),
    "inv": Row(
        [case(shape, domain=regular) for shape in SQUARE],
        lambda x: np.linalg.solve(x, np.broadcast_to(np.eye(x.shape[-1]), x.shape)),
        lacks=("0-d",),
    ),
    "solve": Row(
        [
            case(a, b, domain=regular)
            for a, b in [
                ((3, 3), (3, 2)),
                ((2, 2), (2, 2)),
                ((2, 1, 2, 2), (3, 2, 1)),
                ((2, 2), (3, 2, 1)),
                ((0, 0), (0, 2)),
                ((2, 2), (2, 0)),
            ]
        ],
        lambda a, b: np.linalg.inv(a) @ b,
        lacks=("0-d",),
    ),
}
