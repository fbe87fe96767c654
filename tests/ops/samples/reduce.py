"""Samples of distgrad/ops/reduce.py."""

from typing import Any

import numpy as np
import scipy.special
from ops.cases import Case, Row, case, distinct, reduction, whole


def _norm(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def _spread_cases() -> list[Case]:
    """All have more elements than the correction takes off."""
    whole = [c for c in reduction() if c.inputs[0].size and c.attributes.get("axis") != ()]
    several = [c for c in whole if c.inputs[0].ndim]
    return [
        *several,
        *[case((2, 3), axis=1, correction=n) for n in (0, 2)],
        *[case(shape, correction=0) for shape in ((), (1, 1))],
        case((0, 3), axis=1),
    ]


def _spread(function: Any) -> Any:
    def reference(x: Any, axis: Any = None, correction: int = 1, keepdims: bool = False) -> Any:
        return function(x, axis=axis, ddof=correction, keepdims=keepdims)

    return reference


def _vector_norm(x: Any, ord: float, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)


def _argmedian(x: Any, axis: int, keepdims: bool = False) -> Any:
    place = np.argsort(x, axis=axis).take([(x.shape[axis] - 1) // 2], axis)
    return place if keepdims else np.squeeze(place, axis)


def _argmode(x: Any, axis: int, keepdims: bool = False) -> Any:
    """By counting; of the most frequent elements the smallest, and of its places the last."""

    def of_line(line: Any) -> int:
        best = min(line, key=lambda v: (-np.count_nonzero(line == v), v))
        return int(np.flatnonzero(line == best)[-1])

    return _each_line(of_line, x, axis, keepdims)


def _argnanmedian(x: Any, axis: int, keepdims: bool = False) -> Any:
    def of_line(line: Any) -> int:
        numbers = np.sort(line[~np.isnan(line)])
        return int(np.flatnonzero(line == numbers[(len(numbers) - 1) // 2])[0])

    return _each_line(of_line, x, axis, keepdims)


def _each_line(function: Any, x: Any, axis: int, keepdims: bool) -> Any:
    if not x.size:
        return np.zeros(np.delete(x.shape, axis), np.int64)
    found = np.apply_along_axis(function, axis, x)
    return np.expand_dims(found, axis) if keepdims else found


_PREDICATE = Row(reduction(whole), constants=None)


SAMPLES: dict[str, Row] = {
    "all": _PREDICATE,
    "amax": Row(reduction(distinct), np.max),
    "amin": Row(reduction(distinct), np.min),
    "any": _PREDICATE,
    "argmax": Row(reduction(distinct, several=False), constants=None),
    "argmedian": Row(
        [
            case((2, 3, 4), domain=distinct, axis=axis, keepdims=keepdims)
            for axis in (0, 1, -1)
            for keepdims in (False, True)
        ]
        + [case((0, 3), axis=1)],
        _argmedian,
        constants=None,
        lacks=("0-d",),
    ),
    "argmode": Row(
        [
            Case((np.array([[1.0, 2, 2, 3, 3], [5, 4, 5, 4, 0]]),), {"axis": 1}),
            Case((np.array([[1.0, 2], [2, 1], [2, 0]]),), {"axis": 0, "keepdims": True}),
            case((0, 3), axis=1),
        ],
        _argmode,
        constants=None,
        lacks=("0-d",),
    ),
    "argnanmedian": Row(
        [
            Case((np.array([[3.0, np.nan, 1, 2], [np.nan, 7, 5, np.nan]]),), {"axis": 1}),
            Case((np.array([[3.0, 1], [np.nan, 2]]),), {"axis": 0, "keepdims": True}),
            case((0, 3), axis=1),
        ],
        _argnanmedian,
        constants=None,
        lacks=("0-d",),
    ),
    "argmin": Row(reduction(distinct, several=False), constants=None),
    "logsumexp": Row(
        [c if "axis" in c.attributes else Case(c.inputs, {"axis": None}) for c in reduction()],
        scipy.special.logsumexp,
    ),
    "mean": Row(reduction()),
    "median": Row(
        [case(shape, domain=distinct) for shape in ((5,), (1, 3), (), (2, 0))],
        lambda x: np.median(x) if x.size else np.nan,
    ),
    "norm": Row(reduction(), _norm),
    "std": Row(
        [c for c in _spread_cases() if c.inputs[0].size != 1], _spread(np.std), lacks=("0-d",)
    ),
    "sum": Row(reduction()),
    "var": Row(_spread_cases(), _spread(np.var)),
    "vector_norm": Row(
        [Case(c.inputs, {"ord": p} | c.attributes) for c in reduction() for p in (3, 2.5)]
        + [case((2, 3), ord=p, axis=1) for p in (0.5, -1, -2.0, 1.5)],
        _vector_norm,
    ),
}
