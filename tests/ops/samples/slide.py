"""Samples of distgrad/ops/slide.py."""

from typing import Any

import numpy as np
from ops.cases import Row, case


def _unfold(x: Any, axis: int, size: int, step: int, dilation: int = 1) -> np.ndarray:
    span = (size - 1) * dilation + 1
    starts = range(0, x.shape[axis] - span + 1, step)
    windows = [np.moveaxis(x, axis, -1)[..., s : s + span : dilation] for s in starts]
    return np.stack(windows, axis)


def _overlap_add(windows: Any, axis: int, step: int, length: int, dilation: int = 1) -> np.ndarray:
    moved = np.moveaxis(windows, axis, 0)
    result = np.zeros((*moved.shape[1:-1], length))
    for place, window in enumerate(moved):
        end = place * step + (window.shape[-1] - 1) * dilation + 1
        result[..., place * step : end : dilation] += window
    return np.moveaxis(result, -1, axis)


SAMPLES: dict[str, Row] = {
    "overlap_add": Row(
        [
            case((3, 2), axis=0, step=1, length=4),
            case((2, 3, 2), axis=1, step=3, length=9),
            case((2, 2, 3), axis=0, step=2, length=5),
            case((2, 0, 3), axis=0, step=2, length=5),
            case((3, 2, 3), axis=0, step=1, length=7, dilation=2),
        ],
        _overlap_add,
        lacks=("0-d",),
    ),
    "unfold": Row(
        [
            case((5,), axis=0, size=2, step=1),
            case((5,), axis=0, size=2, step=3),
            case((2, 4), axis=1, size=3, step=1),
            case((4, 2), axis=0, size=4, step=2),
            case((8, 2), axis=0, size=3, step=2, dilation=2),
            case((2, 3), axis=1, size=0, step=1),
            case((0, 3), axis=1, size=2, step=1),
        ],
        _unfold,
        lacks=("0-d",),
    ),
}
