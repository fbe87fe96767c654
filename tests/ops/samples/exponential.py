"""Samples of distgrad/ops/exponential.py."""

import numpy as np
import scipy.special
from ops.cases import Row, binary, case, positive, unary

SAMPLES: dict[str, Row] = {
    "exp": Row(unary()),
    "exp2": Row(unary()),
    "expm1": Row([*unary(), case(np.array([1e-3, -1e-3]))]),
    "log": Row(unary(positive)),
    "log10": Row(unary(positive)),
    "log1p": Row([*unary(positive), case(np.array([1e-3, -1e-3]))]),
    "log2": Row(unary(positive)),
    "logaddexp2": Row([*binary(), case(np.array([800.0, -800.0]), np.array([799.0, -801.0]))]),
    "logit": Row(
        unary(lambda generator, shape: generator.uniform(0.1, 0.9, shape)), scipy.special.logit
    ),
    "xlog1py": Row(binary(positive), scipy.special.xlog1py),
    "logaddexp": Row([*binary(), case(np.array([800.0, -800.0]), np.array([799.0, -801.0]))]),
    "xlogy": Row(binary(positive), scipy.special.xlogy),
}
