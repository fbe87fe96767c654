"""Samples of distgrad/ops/determinant.py."""

from itertools import permutations
from typing import Any

import numpy as np
from ops.cases import Row, case
from ops.samples.solve import SQUARE, regular

_SINGULAR = [
    case(np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.5, -1.0, 2.0]])),
    case(np.array([[1.0, 2.0], [2.0, 4.0]])),
    case(np.array([[[0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])),
]


def _det(x: Any) -> Any:
    """Leibniz' sum over all permutations."""
    n = x.shape[-1]
    total = np.zeros(x.shape[:-2])
    for order in permutations(range(n)):
        sign = (-1) ** sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
        factors = [x[..., i, order[i]] for i in range(n)]
        total = total + sign * np.prod(factors, axis=0)
    return total


def _cofactor(x: Any) -> np.ndarray:
    result = np.zeros(x.shape)
    for i, j in np.ndindex(x.shape[-2:]):
        minor = np.delete(np.delete(x, i, -2), j, -1)
        result[..., i, j] = (-1) ** (i + j) * _det(minor)
    return result


def _cofactor_slope(x: Any, h: Any) -> np.ndarray:
    """A central difference is exact for what is at most quadratic: up to 3 by 3."""
    result = np.zeros(np.broadcast_shapes(x.shape, h.shape))
    for i, j in np.ndindex(x.shape[-2:]):
        step = np.zeros(x.shape[-2:])
        step[i, j] = 1
        slope = (_cofactor(x + step) - _cofactor(x - step)) / 2
        result[..., i, j] = (slope * h).sum((-2, -1))
    return result


SAMPLES: dict[str, Row] = {
    "cofactor": Row([case(shape) for shape in SQUARE], _cofactor, lacks=("0-d",)),
    "cofactor_slope": Row(
        [case(shape, shape, domain=regular) for shape in SQUARE], _cofactor_slope, lacks=("0-d",)
    ),
    "det": Row([*[case(shape) for shape in SQUARE], *_SINGULAR], _det, lacks=("0-d",)),
    "log_of_det": Row(
        [case(shape, domain=regular) for shape in SQUARE],
        lambda x: np.log(np.abs(_det(x))),
        lacks=("0-d",),
    ),
    "sign_of_det": Row(
        [case(shape, domain=regular) for shape in SQUARE],
        lambda x: np.sign(_det(x)),
        lacks=("0-d",),
    ),
}
