"""Samples of distgrad/ops/selection.py."""

from typing import Any

import numpy as np
from ops.cases import Case, Row, binary, case, unary

_WHERE: list[tuple[Any, Any, Any]] = [
    ([[True, False, True], [False, True, False]], (2, 3), (2, 3)),
    ([True, False, True], (2, 3), (2, 1)),
    ([[True], [False]], (3,), ()),
    (True, (), ()),
    ([True, False], (2,), -1.5),
    (np.ones((0, 3), bool), (3,), (1, 3)),
]


def _where_cases() -> list[Case]:
    samples = [*_WHERE, ([True, False], 1.5, (2,))]
    return [case(np.array(condition), a, b) for condition, a, b in samples]


def _clip(x: Any, low: Any, high: Any) -> Any:
    x = np.asarray(x)
    x = x if low is None else np.where(x < low, low, x)
    return x if high is None else np.where(x > high, high, x)


def _clip_cases() -> list[Case]:
    bounds: list[tuple[Any, Any, Any]] = [
        ((2, 3), -0.5, 0.6),
        ((2, 3), None, 0.6),
        ((2, 3), -0.5, None),
        ((2, 3), (2, 3), (3,)),
        ((3,), (2, 1), None),
        ((2, 1), None, (3,)),
        ((), (), ()),
        ((0, 3), (3,), 0.6),
    ]
    return [*[case(*inputs) for inputs in bounds], *[Case((c.inputs[0], -1, 1)) for c in unary()]]


SAMPLES: dict[str, Row] = {
    "clip": Row(_clip_cases(), _clip),
    "fmax": Row(binary()),
    "fmin": Row(binary()),
    "maximum": Row(binary()),
    "minimum": Row(binary()),
    "where": Row(_where_cases(), constants=("condition",)),
    "zero_unless": Row(
        [case(x, np.array(condition)) for condition, x, _ in _WHERE],
        lambda x, condition: np.where(condition, x, 0),
        constants=("condition",),
    ),
}
