"""Samples of distgrad/ops/arrange.py."""

import numpy as np
from ops.cases import Row, case

SAMPLES: dict[str, Row] = {
    "flip": Row(
        [
            case((2, 3), axis=(0,)),
            case((2, 3, 2), axis=(2, 0)),
            case((2, 3), axis=()),
            case((), axis=()),
            case((0, 3), axis=(1,)),
        ]
    ),
    "roll": Row(
        [
            case((4,), shift=(1,), axis=(0,)),
            case((2, 3), shift=(-4, 1), axis=(1, 0)),
            case((2, 3), shift=(1, 1), axis=(1, 1)),
            case((), shift=(), axis=()),
            case((0, 3), shift=(1,), axis=(0,)),
        ],
        lambda x, shift, axis: np.roll(x, shift, axis) if axis else x,
    ),
    "tile": Row(
        [
            case((3,), reps=(2,)),
            case((2, 3), reps=(2, 3)),
            case((3,), reps=(2, 1, 2)),
            case((2, 3), reps=(2,)),
            case((2, 3), reps=(0, 2)),
            case((), reps=(2, 2)),
            case((), reps=()),
            case((0, 3), reps=(2, 1)),
        ],
        np.tile,
    ),
}
