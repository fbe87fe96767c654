"""Samples of distgrad/ops/recurrent.py."""

import numpy as np
from ops.cases import Row, case

SAMPLES: dict[str, Row] = {
    "flattened": Row(
        [case((2, 3)), case((2, 3), (4,), (1, 2, 2)), case((0, 3), (2,)), case((), (2, 1))],
        lambda *arrays: np.concatenate([x.reshape(-1) for x in arrays]),
    ),
}
