"""One row of samples for each op: inputs, attributes, and a reference that is not the op itself.

The inputs keep away from kinks and ties, where a numeric difference means nothing; those have tests
of their own. Arrays are float64 unless they are meant to be something else.
"""

import math
from typing import Any

import numpy as np
import scipy.special
from ops.cases import Case, Row, binary, case, distinct, positive, reduction, unary, whole

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


def _linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    return np.einsum("...i,oi->...o", x, weight) + (0 if bias is None else bias)


def _cross_entropy(
    x: np.ndarray, target: np.ndarray, axis: int, reduction: str, ignore_index: int
) -> Any:
    log_p = np.moveaxis(scipy.special.log_softmax(x, axis=axis), axis, -1)
    losses, count = np.zeros(target.shape), 0
    for place in np.ndindex(target.shape):
        if target[place] != ignore_index:
            losses[place] = -log_p[place][target[place]]
            count += 1
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / max(count, 1)}[reduction]


def _mse_loss(x: np.ndarray, target: np.ndarray, reduction: str) -> Any:
    squares = np.square(np.subtract(x, target))
    mean = squares.sum() / max(squares.size, 1)
    return {"none": squares, "sum": squares.sum(), "mean": mean}[reduction]


def _norm(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def _cross_entropy_cases() -> list[Case]:
    samples: list[tuple[tuple[int, ...], Any, int]] = [
        ((4, 3), [0, 2, -100, 2], 1),
        ((3,), 1, 0),
        ((2, 3, 2), [[0, 1], [2, -100]], 1),
        ((0, 3), [], 1),
    ]
    return [
        case(
            shape,
            target=np.array(target, np.int64),
            axis=axis,
            reduction=reduction,
            ignore_index=-100,
        )
        for shape, target, axis in samples
        for reduction in (["none", "sum"] if 0 in shape else ["none", "sum", "mean"])
    ]


_COMPARED = Row(binary(whole), constants=None)
_PREDICATE = Row(reduction(whole), constants=None)

SAMPLES: dict[str, Row] = {
    "absolute": Row(unary()),
    "add": Row(binary()),
    "all": _PREDICATE,
    "amax": Row(reduction(distinct), np.max),
    "any": _PREDICATE,
    "argmax": Row(reduction(distinct, several=False), constants=None),
    "astype": Row(
        [case(shape, dtype=np.float64) for shape in [(2, 3), (), (0, 2)]],
        lambda x, dtype: x,
        keeps_dtype=False,
    ),
    "broadcast_to": Row(
        [
            case((3,), shape=(2, 3)),
            case((2, 1, 3), shape=(4, 2, 2, 3)),
            case((), shape=(2, 2)),
            case((1, 3), shape=(0, 3)),
            case((0, 3), shape=(2, 0, 3)),
        ]
    ),
    "cross_entropy": Row(_cross_entropy_cases(), _cross_entropy, lacks=("0-d",)),
    "divide": Row(binary()),
    "dot": Row([case((4,), (4,)), case((1,), (1,)), case((0,), (0,))], lacks=("0-d",)),
    "dropout": Row(
        [
            Case((np.array(x, np.float64), np.array(mask, np.float64)))
            for x, mask in [([[1, -2], [3, 4]], [[0, 2], [2, 0]]), (3, 2), (np.ones(0), np.ones(0))]
        ],
        lambda x, mask: np.where(mask == 0, 0, 2 * x),
        constants=("mask",),
    ),
    "equal": _COMPARED,
    "exp": Row(unary()),
    "getitem": Row(
        [case((2, 3), index=index) for index in INDICES]
        + [case((), index=()), case((), index=...), case((0, 3), index=(slice(None), 1))],
        lambda x, index: np.take(x.reshape(-1), np.arange(x.size).reshape(x.shape)[index]),
    ),
    "greater": _COMPARED,
    "greater_equal": _COMPARED,
    "isfinite": Row([*unary(), case(np.array([np.inf, np.nan, 1.0, -np.inf]))], constants=None),
    "less": _COMPARED,
    "less_equal": _COMPARED,
    "linear": Row(
        [
            case((4, 3), (2, 3), (2,)),
            case((4, 3), (2, 3), None),
            case((3,), (2, 3), (2,)),
            case((2, 2, 3), (1, 3), (1,)),
            case((0, 3), (2, 3), (2,)),
            case((4, 0), (2, 0), (2,)),
        ],
        _linear,
        lacks=("0-d",),
    ),
    "log": Row(unary(positive)),
    "log_softmax": Row(
        [case((2, 3), axis=1), case((2, 3, 2), axis=0), case((4,), axis=-1), case((0, 3), axis=1)],
        scipy.special.log_softmax,
        lacks=("0-d",),
    ),
    "matmul": Row(
        [
            case((2, 3), (3, 4)),
            case((3,), (3,)),
            case((3,), (3, 2)),
            case((2, 3), (3,)),
            case((2, 2, 3), (3, 2)),
            case((2, 1, 2, 3), (3, 3, 2)),
            case((3,), (2, 3, 2)),
            case((2, 2, 3), (3,)),
            case((0, 3), (3, 2)),
            case((2, 0), (0, 3)),
        ],
        lacks=("0-d",),
    ),
    "mean": Row(reduction()),
    "mse_loss": Row(
        [
            case(*shapes, reduction=reduction)
            for shapes in [((2, 3), (2, 3)), ((2, 3), (3,)), ((), ())]
            for reduction in ("none", "sum", "mean")
        ]
        + [case((0,), (0,), reduction="sum")],
        _mse_loss,
    ),
    "multiply": Row(binary()),
    "negative": Row(unary()),
    "norm": Row(reduction(), _norm),
    "not_equal": _COMPARED,
    "power": Row(
        binary(positive)
        + [case((2, 3), n) for n in (0, 1, 2, 3, 0.0, 2.0, 3.0, -1, -2)]
        + [case((2, 3), x, domain=positive) for x in (0.5, 1.5, -0.5)],
    ),
    "put": Row(
        [case(np.zeros((2, 3))[index].shape, index=index, shape=(2, 3)) for index in INDICES]
        + [case((), index=(), shape=()), case((0,), index=slice(0, 0), shape=(3,))],
        _put,
    ),
    "relu": Row(unary(), lambda x: np.where(x > 0, x, 0)),
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
    "sign": Row(unary()),
    "sqrt": Row(unary(positive)),
    "subtract": Row(binary()),
    "sum": Row(reduction()),
    "tanh": Row(unary()),
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
