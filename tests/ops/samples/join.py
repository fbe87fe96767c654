"""Samples of distgrad/ops/join.py."""

from typing import Any

import numpy as np
from ops.cases import Row, case


def _concatenate(*arrays: np.ndarray, axis: int = 0) -> np.ndarray:
    return np.concatenate(arrays, axis)


def _stack(*arrays: np.ndarray, axis: int = 0) -> np.ndarray:
    return np.stack(arrays, axis)


def _pad(x: np.ndarray, pad_width: Any, value: float = 0) -> np.ndarray:
    for axis, (before, after) in enumerate(pad_width):
        x = np.delete(x, np.arange(max(-before, 0)), axis)
        x = np.delete(x, np.arange(x.shape[axis] - max(-after, 0), x.shape[axis]), axis)
    added = [(max(before, 0), max(after, 0)) for before, after in pad_width]
    return np.pad(x, added, constant_values=value) if added else x


SAMPLES: dict[str, Row] = {
    "concatenate": Row(
        [
            case((2, 3), (1, 3), (4, 3)),
            case((2, 3), (2, 1), axis=1),
            case((2, 3), (2, 3), (2, 2), axis=-1),
            case((3,)),
            case((0, 3), (2, 3)),
            case((2, 0), (2, 0), axis=1),
        ],
        _concatenate,
        lacks=("0-d",),
    ),
    "pad": Row(
        [
            case((2, 3), pad_width=((1, 2), (0, 1))),
            case((2, 3), pad_width=((1, 0), (0, 0)), value=1.5),
            case((3, 4), pad_width=((-1, 1), (1, -2)), value=-1.0),
            case((3,), pad_width=((-1, -1),)),
            case((3,), pad_width=((-3, 0),)),
            case((), pad_width=()),
            case((0, 3), pad_width=((1, 1), (0, 0))),
        ],
        _pad,
    ),
    "stack": Row(
        [
            case((2, 3), (2, 3), (2, 3)),
            case((2, 3), (2, 3), axis=1),
            case((2, 3), (2, 3), axis=-1),
            case((), ()),
            case((3,), axis=0),
            case((0, 3), (0, 3), axis=2),
        ],
        _stack,
    ),
}
