"""Samples of distgrad/ops/adaptive.py."""

from typing import Any

import numpy as np
from ops.cases import Row, case, distinct, whole


def _adaptive_max_indices(x: Any, rows: Any, columns: Any) -> np.ndarray:
    result = np.zeros((*x.shape[:2], len(rows), len(columns)), np.int64)
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            seen = x[:, :, top:bottom, left:right]
            place = seen.reshape(*x.shape[:2], (bottom - top) * (right - left)).argmax(-1)
            row, column = np.divmod(place, right - left)
            result[:, :, i, j] = (top + row) * x.shape[3] + left + column
    return result


_THREE_OF_FIVE = ((0, 2), (1, 4), (3, 5))

SAMPLES: dict[str, Row] = {
    "adaptive_max_indices": Row(
        [
            case((2, 3, 5, 4), domain=distinct, rows=_THREE_OF_FIVE, columns=((0, 2), (2, 4))),
            case((2, 2, 3, 5), domain=whole, rows=((0, 3),), columns=_THREE_OF_FIVE),
            case((1, 1, 1, 1), rows=((0, 1), (0, 1)), columns=((0, 1),)),
            case((1, 2, 2, 2), rows=(), columns=((0, 1),)),
            case((1, 2, 2, 2), rows=((0, 1),), columns=()),
            case((0, 2, 5, 2), rows=_THREE_OF_FIVE, columns=((0, 2),)),
        ],
        _adaptive_max_indices,
        constants=None,
        lacks=("0-d",),
        keeps_dtype=False,
    ),
}
