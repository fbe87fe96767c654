"""Samples of distgrad/ops/order.py."""

from typing import Any

import numpy as np
from ops.cases import Row, case, distinct, whole


def _argsort(x: Any, axis: int = -1, descending: bool = False) -> np.ndarray:
    moved = np.moveaxis(x, axis, -1)
    result = np.zeros(moved.shape, np.int64)
    for row in np.ndindex(moved.shape[:-1]):
        # Python's sort leaves equal elements as they stand, in either direction.
        result[row] = sorted(
            range(moved.shape[-1]), key=lambda i, row=row: moved[row][i], reverse=descending
        )
    return np.moveaxis(result, -1, axis)


SAMPLES: dict[str, Row] = {
    "argsort": Row(
        [
            case((5,), domain=distinct),
            case((3, 4), domain=whole, axis=0),
            case((3, 4), domain=whole, axis=1, descending=True),
            case((7,), domain=whole, descending=True),
            case((0, 3), axis=0),
            case((0, 3), axis=1, descending=True),
        ],
        _argsort,
        constants=None,
        lacks=("0-d",),
    ),
}
