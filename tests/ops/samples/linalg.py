"""Samples of distgrad/ops/linalg.py."""

import numpy as np
from ops.cases import Row, case


def _linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    return np.einsum("...i,oi->...o", x, weight) + (0 if bias is None else bias)


SAMPLES: dict[str, Row] = {
    "dot": Row([case((4,), (4,)), case((1,), (1,)), case((0,), (0,))], lacks=("0-d",)),
    "linear": Row(
        [
            case((4, 3), (2, 3), (2,)),
            case((4, 3), (2, 3), None),
            case((3,), (2, 3), (2,)),
            case((2, 2, 3), (1, 3), (1,)),
            case((0, 3), (2, 3), (2,)),
            case((4, 0), (2, 0), (2,)),
            case((2, 16), (4, 16), (4,)),  # few rows
            case((1, 2, 16), (5, 16), None),
        ],
        _linear,
        lacks=("0-d",),
    ),
    "matmul": Row(
        [
            case((2, 3), (3, 4)),
            case((3,), (3,)),
            case((3,), (3, 2)),
            case((2, 3), (3,)),
            case((2, 2, 3), (3, 2)),
            case((2, 1, 2, 3), (3, 3, 2)),
            case((3,), (2, 3, 2)),
            case((2, 2, 3), (3,)),
            case((0, 3), (3, 2)),
            case((2, 0), (0, 3)),
        ],
        lacks=("0-d",),
    ),
}
