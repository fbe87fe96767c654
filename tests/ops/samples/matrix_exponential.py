"""Samples of distgrad/ops/matrix_exponential.py."""

import numpy as np
import scipy.linalg
from ops.cases import Row, case
from ops.samples.solve import SQUARE

SAMPLES: dict[str, Row] = {
    "matrix_exp": Row(
        [*[case(shape) for shape in SQUARE], case(np.array([[0.0, 9.0], [-8.0, 0.5]]))],
        lambda x: scipy.linalg.expm(x) if x.size else x,
        lacks=("0-d",),
    ),
}
