"""Samples of distgrad/ops/resample.py."""

from typing import Any

import numpy as np
from ops.cases import Row, case

from distgrad.ops.resample import Resampling


def _resample(x: Any, axis: int, by: Resampling) -> np.ndarray:
    matrix = np.zeros((by.size, x.shape[axis]))
    np.add.at(matrix, (by.places, by.sources), 1.0 if by.weights is None else by.weights)
    return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)


def _by(size: int, places: list[int], sources: list[int], weights: Any = None) -> Resampling:
    numbers = None if weights is None else np.array(weights)
    return Resampling(size, np.array(places, int), np.array(sources, int), numbers)


_COPIES = _by(5, [0, 1, 2, 3, 4], [1, 0, 1, 2, 2])
_MEANS = _by(2, [1, 0, 0, 1], [2, 0, 1, 1], [0.5, 0.25, -0.75, 2.0])
_GAPS = _by(4, [2, 0, 2, 2], [0, 2, 0, 1])

SAMPLES: dict[str, Row] = {
    "resample": Row(
        [
            case((3,), axis=0, by=_COPIES),
            case((2, 3), axis=1, by=_COPIES),
            case((3, 2, 2), axis=0, by=_MEANS),
            case((2, 3, 2), axis=1, by=_MEANS),
            case((2, 3), axis=1, by=_GAPS),
            case((2, 3), axis=1, by=_by(2, [], [])),
            case((2, 3), axis=1, by=_by(0, [], [])),
            case((0, 3), axis=1, by=_COPIES),
        ],
        _resample,
        lacks=("0-d",),
    ),
}
