"""Samples of distgrad/ops/error_function.py."""

import numpy as np
import scipy.special
from ops.cases import Row, case, unary

SAMPLES: dict[str, Row] = {
    "erf": Row([*unary(), case(np.array([[0.0, 0.1, 0.46], [0.5, -3.0, 7.0]]))], scipy.special.erf),
    "erfc": Row(
        [*unary(), case(np.array([[0.0, 0.1, 0.46], [0.5, -3.0, 7.0], [3.9, 4.1, 0.48]]))],
        scipy.special.erfc,
    ),
}
