"""Samples of distgrad/ops/index.py."""

import math
from typing import Any

import numpy as np
from ops.cases import Case, Row, case

from distgrad import ops

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


def _written(add: bool) -> Any:
    def reference(x: np.ndarray, values: Any, index: Any) -> np.ndarray:
        result = x.copy()
        places = np.arange(x.size).reshape(x.shape)[index]
        for place, value in zip(
            places.ravel(), np.broadcast_to(values, places.shape).ravel(), strict=True
        ):
            result.reshape(-1)[place] = result.reshape(-1)[place] * add + value
        return result

    return reference


def _writing(repeating: bool) -> list[Case]:
    x = np.zeros((2, 3))
    indices = [i for i in INDICES if repeating or np.unique(_places(i)).size == _places(i).size]
    return [
        *[case((2, 3), x[index].shape, index=index) for index in indices],
        case((2, 3), (3,), index=[1, 0]),
        case((2, 3), (), index=slice(1, None)),
        case((), (), index=()),
        case((0, 3), (0, 1), index=(slice(None), [1])),
    ]


def _places(index: Any) -> np.ndarray:
    return np.arange(6).reshape(2, 3)[index]


_STEPS = [
    ((ops.getitem, {"index": (1, slice(None, None, 2))}),),
    ((ops.transpose, {"axes": (1, 0)}), (ops.getitem, {"index": slice(1, 3)})),
    ((ops.transpose, {"axes": (1, 0)}), (ops.reshape, {"shape": (6,)})),
]
"""Of an array of shape (2, 3)."""


def _written_to_view(x: np.ndarray, values: np.ndarray, steps) -> np.ndarray:
    places = np.arange(x.size).reshape(x.shape)
    for op, attributes in steps:
        places = op.forward(np, places, **attributes)
    y = x.copy().reshape(-1)
    y[places] = values
    return y.reshape(x.shape)


SAMPLES: dict[str, Row] = {
    "assign_view": Row(
        [
            case((2, 3), shape, steps=steps)
            for steps, shape in zip(_STEPS, [(2,), (2, 2), (6,)], strict=True)
        ]
        + [case((), (), steps=()), case((0, 3), (0, 3), steps=())],
        _written_to_view,
    ),
    "accumulate": Row(_writing(repeating=True), _written(add=True)),
    # Of several values for one place a difference sees only one: the tests of scatter have them.
    "assign": Row(_writing(repeating=False), _written(add=False)),
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
