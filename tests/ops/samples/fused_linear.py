"""Samples of distgrad/ops/fused_linear.py."""

import numpy as np
from ops.cases import Row, case
from ops.samples.linalg import _linear

SAMPLES: dict[str, Row] = {
    "linear_relu": Row(
        [
            case((4, 3), (2, 3), (2,)),
            case((4, 3), (2, 3), None),
            case((3,), (2, 3), (2,)),
            case((2, 2, 3), (1, 3), (1,)),
            case((0, 3), (2, 3), (2,)),
            case((4, 0), (2, 0), (2,)),
        ],
        lambda x, weight, bias: np.maximum(_linear(x, weight, bias), 0),
        lacks=("0-d",),
    ),
}
