"""Samples of distgrad/ops/scan.py."""

import math
from typing import Any

import numpy as np
from ops.cases import Case, Row, case, distinct, reduction


def _recurrence(factors: Any, terms: Any, axis: int) -> np.ndarray:
    """By its solution: each term times all factors behind it."""
    f, t = np.moveaxis(factors, axis, -1), np.moveaxis(terms, axis, -1)
    count = t.shape[-1]
    matrix = np.zeros((*t.shape, count))
    for i in range(count):
        for j in range(i + 1):
            matrix[..., i, j] = f[..., j + 1 : i + 1].prod(-1)
    return np.moveaxis((matrix * t[..., None, :]).sum(-1), -1, axis)


def _logcumsumexp(x: Any, axis: int) -> np.ndarray:
    return np.log(np.cumsum(np.exp(x), axis=axis))


def _running(extreme: Any) -> Any:
    def reference(x: Any, axis: int) -> np.ndarray:
        moved = np.moveaxis(x, axis, 0)
        places = np.zeros(moved.shape, np.int64)
        for index in np.ndindex(moved.shape):
            so_far = list(moved[(slice(index[0] + 1), *index[1:])])
            places[index] = max(i for i, v in enumerate(so_far) if v == extreme(so_far))
        return np.moveaxis(places, 0, axis)

    return reference


_AXES = [
    case((3,), axis=0),
    case((2, 3), axis=1),
    case((2, 3, 2), axis=-2),
    case((3, 2), axis=0),
    case((0, 3), axis=0),
    case((0, 3), axis=1),
]
_WITH_ZEROS = [
    Case((np.array([2.0, 0.0, 3.0, 0.5]),), {"axis": 0}),
    Case((np.array([[2.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 2.0]]),), {"axis": 1}),
]


SAMPLES: dict[str, Row] = {
    "cumprod": Row([*_AXES, *_WITH_ZEROS], lacks=("0-d",)),
    "cumsum": Row(_AXES, lacks=("0-d",)),
    "logcumsumexp": Row(
        [*_AXES, case(np.array([-700.0, -700.0, -699.0]), axis=0)], _logcumsumexp, lacks=("0-d",)
    ),
    "prod": Row([*reduction(several=False), *_WITH_ZEROS]),
    "recurrence": Row(
        [Case((c.inputs[0], c.inputs[0] - math.pi), c.attributes) for c in _AXES],
        _recurrence,
        lacks=("0-d",),
    ),
    "running_argmax": Row(
        [case((3, 4), domain=distinct, axis=axis) for axis in (0, 1, -1)]
        + [case(np.array([1.0, 3.0, 3.0, 2.0]), axis=0), case((0, 2), axis=1)],
        _running(max),
        constants=None,
        lacks=("0-d",),
    ),
    "running_argmin": Row(
        [case((3, 4), domain=distinct, axis=axis) for axis in (0, 1, -1)]
        + [case(np.array([3.0, 1.0, 1.0, 2.0]), axis=0), case((0, 2), axis=1)],
        _running(min),
        constants=None,
        lacks=("0-d",),
    ),
}
