"""Samples of distgrad/ops/index.py."""

import math
from typing import Any

import numpy as np
from ops.cases import Row, case

INDICES = [
    1,
    -1,
    slice(None, None, 2),
    slice(None, None, -1),
    (slice(None), 1),
    (..., None, 0),
    (1, 2),
    [0, 0, 1],
    ((0, 1, 0),),
    np.array([[0, 1], [1, 1]]),
    (np.array([0, 1, 1]), np.array([2, 0, 0])),
    (slice(None), np.array([2, 2])),
    np.array([[True, False, True], [False, False, True]]),
    np.array([False, True]),
    np.array([], np.int64),
    slice(0, 0),
]


def _put(values: np.ndarray, index: Any, shape: tuple[int, ...]) -> np.ndarray:
    result = np.zeros(shape)
    places = np.arange(math.prod(shape)).reshape(shape)[index]
    for place, value in zip(
        places.ravel(), np.broadcast_to(values, places.shape).ravel(), strict=True
    ):
        result.reshape(-1)[place] += value
    return result


SAMPLES: dict[str, Row] = {
    "getitem": Row(
        [case((2, 3), index=index) for index in INDICES]
        + [case((), index=()), case((), index=...), case((0, 3), index=(slice(None), 1))],
        lambda x, index: np.take(x.reshape(-1), np.arange(x.size).reshape(x.shape)[index]),
    ),
    "put": Row(
        [case(np.zeros((2, 3))[index].shape, index=index, shape=(2, 3)) for index in INDICES]
        + [case((), index=(), shape=()), case((0,), index=slice(0, 0), shape=(3,))],
        _put,
    ),
}
