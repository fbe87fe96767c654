"""Samples of distgrad/ops/fused_attention.py."""

from typing import Any

import numpy as np
import scipy.special
from ops.cases import Row, case


def _attention(stacked: Any, scale: float, causal: Any = None) -> np.ndarray:
    scores = scale * np.einsum("...le,...se->...ls", stacked[0], stacked[1])
    scores = scores if causal is None else scores + causal
    return scipy.special.softmax(scores, axis=-1) @ stacked[2] if scores.size else stacked[2]


_TRIANGLE = np.where(np.tri(4, dtype=bool), 0.0, -np.inf)

SAMPLES: dict[str, Row] = {
    "attention": Row(
        [
            case((3, 4, 2), scale=0.7, causal=_TRIANGLE),
            case((3, 4, 2), scale=0.7),
            case((3, 2, 3, 4, 2), scale=-2.0, causal=_TRIANGLE),
            case((3, 2, 0, 2), scale=0.5),
        ],
        _attention,
        lacks=("0-d",),
    ),
}
