"""Samples of distgrad/ops/reduce.py."""

from typing import Any

import numpy as np
from ops.cases import Row, distinct, reduction, whole


def _norm(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


_PREDICATE = Row(reduction(whole), constants=None)


SAMPLES: dict[str, Row] = {
    "all": _PREDICATE,
    "amax": Row(reduction(distinct), np.max),
    "any": _PREDICATE,
    "argmax": Row(reduction(distinct, several=False), constants=None),
    "mean": Row(reduction()),
    "norm": Row(reduction(), _norm),
    "sum": Row(reduction()),
}
