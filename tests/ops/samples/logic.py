"""Samples of distgrad/ops/logic.py."""

from typing import Any

import numpy as np
from ops.cases import Case, Row, binary, case, unary, whole

_COMPARED = Row(binary(whole), constants=None)


def _bits(*inputs: Any) -> Case:
    return Case(tuple(np.array(x) for x in inputs))


_TRUTH = [True, True, False, False]
_OTHER = [True, False, True, False]
_PAIRS = Row(
    [
        _bits(_TRUTH, _OTHER),
        _bits([[True], [False]], [True, False]),
        _bits(True, _OTHER),
        _bits(_TRUTH, False),
        _bits([6, 5], [3, -1]),
        _bits(np.ones(0, bool), True),
    ],
    constants=None,
)


SAMPLES: dict[str, Row] = {
    "bitwise_and": _PAIRS,
    "bitwise_or": _PAIRS,
    "bitwise_xor": _PAIRS,
    "equal": _COMPARED,
    "greater": _COMPARED,
    "greater_equal": _COMPARED,
    "invert": Row(
        [_bits(_TRUTH), _bits(False), _bits([0, 5, -3]), _bits(np.ones((0, 2), bool))],
        constants=None,
    ),
    "isfinite": Row([*unary(), case(np.array([np.inf, np.nan, 1.0, -np.inf]))], constants=None),
    "isclose": Row(
        [
            *binary(whole),
            case(np.array([1.0, np.inf, np.nan]), np.array([1.1, np.inf, np.nan]), atol=0.2),
            case(np.array([1.0, np.nan]), np.array([1.1, np.nan]), rtol=0.2, equal_nan=True),
        ],
        constants=None,
    ),
    "isin": Row(
        [
            case((2, 3), (4,), domain=whole),
            case((2, 3), (), domain=whole, invert=True),
            case((), (2, 2), domain=whole),
            case((0,), (3,), domain=whole),
        ],
        lambda x, values, invert=False: np.array(
            [(v in values.reshape(-1)) != invert for v in x.reshape(-1)], bool
        ).reshape(x.shape),
        constants=None,
    ),
    "signbit": Row(
        [*unary(), case(np.array([0.0, -0.0])), _bits([3, -2, 0])],
        lambda x: np.copysign(1, x) < 0 if x.dtype.kind == "f" else x < 0,
        constants=None,
    ),
    "isinf": Row([*unary(), case(np.array([np.inf, np.nan, 1.0, -np.inf]))], constants=None),
    "isnan": Row([*unary(), case(np.array([np.inf, np.nan, 1.0, -np.inf]))], constants=None),
    "less": _COMPARED,
    "less_equal": _COMPARED,
    "logical_and": _COMPARED,
    "logical_not": Row(unary(whole), constants=None),
    "logical_or": _COMPARED,
    "logical_xor": _COMPARED,
    "not_equal": _COMPARED,
}
