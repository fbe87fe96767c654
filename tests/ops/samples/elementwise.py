"""Samples of distgrad/ops/elementwise.py."""

import numpy as np
from ops.cases import Row, binary, case, positive, unary, whole

SAMPLES: dict[str, Row] = {
    "absolute": Row(unary()),
    "add": Row(binary()),
    "astype": Row(
        [case(shape, dtype=np.float64) for shape in [(2, 3), (), (0, 2)]],
        lambda x, dtype: x,
        keeps_dtype=False,
    ),
    "divide": Row(binary()),
    "lerp": Row(
        [
            case((2, 3), (2, 3), (2, 3)),
            case((2, 1), (3,), 0.25),
            case((3,), (2, 3), 0.75),
            case((), (), ()),
            case((0, 3), (3,), (1, 3)),
        ],
        lambda start, end, weight: start + weight * (end - start),
    ),
    "multiply": Row(binary()),
    "negative": Row(unary()),
    "power": Row(
        binary(positive)
        + [case((2, 3), n) for n in (0, 1, 2, 3, 0.0, 2.0, 3.0, -1, -2)]
        + [case((2, 3), x, domain=positive) for x in (0.5, 1.5, -0.5)],
    ),
    "reciprocal": Row(unary()),
    "relu": Row(unary(), lambda x: np.where(x > 0, x, 0)),
    "relu_x": Row(
        [case(shape, shape, domain=whole) for shape in [(2, 3), (), (0, 3)]],
        lambda g, out: g * (out != 0),
        constants=("out",),
    ),
    "rsqrt": Row(unary(positive), lambda x: np.power(x, -0.5)),
    "sqrt": Row(unary(positive)),
    "square": Row(unary()),
    "subtract": Row(binary()),
}
