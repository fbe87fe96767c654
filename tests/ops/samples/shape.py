"""Samples of distgrad/ops/shape.py."""

import numpy as np
from ops.cases import Row, case, unary

SAMPLES: dict[str, Row] = {
    "ascontiguousarray": Row(unary(), np.array),
    "broadcast_to": Row(
        [
            case((3,), shape=(2, 3)),
            case((2, 1, 3), shape=(4, 2, 2, 3)),
            case((), shape=(2, 2)),
            case((1, 3), shape=(0, 3)),
            case((0, 3), shape=(2, 0, 3)),
        ]
    ),
    "reshape": Row(
        [
            case((2, 3), shape=(3, 2)),
            case((2, 3), shape=(-1,)),
            case((4,), shape=(2, 1, 2)),
            case((), shape=(1, 1)),
            case((1,), shape=()),
            case((0, 3), shape=(3, 0)),
        ]
    ),
    "transpose": Row(
        [
            case((2, 3)),
            case((2, 3, 4), axes=(1, 2, 0)),
            case((2, 3, 4), axes=(-1, 0, -2)),
            case((2, 3), axes=None),
            case((), axes=()),
            case((0, 2), axes=(1, 0)),
        ]
    ),
}
