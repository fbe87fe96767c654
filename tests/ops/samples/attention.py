"""Samples of distgrad/ops/attention.py."""

from typing import Any

import numpy as np
import scipy.special
from ops.cases import Row, case


def _scores(query: Any, key: Any, bias: Any, scale: float) -> np.ndarray:
    scores = scale * np.einsum("...le,...se->...sl", query, key)
    return scores if bias is None else scores + np.swapaxes(bias, -1, -2)


SAMPLES: dict[str, Row] = {
    "attention_mix": Row(
        [
            case((3, 4), (3, 2)),
            case((2, 2, 3, 4), (2, 2, 3, 2)),
            case((2, 1, 3, 4), (2, 3, 1)),
            case((3, 0), (3, 2)),
            case((0, 4), (0, 2)),
        ],
        lambda weights, value: np.einsum("...sl,...se->...le", weights, value),
        lacks=("0-d",),
    ),
    "attention_scores": Row(
        [
            case((4, 2), (3, 2), (4, 3), scale=0.7),
            case((4, 2), (3, 2), None, scale=0.7),
            case((2, 3, 4, 2), (2, 3, 3, 2), (4, 3), scale=-2.0),
            case((2, 1, 4, 2), (3, 3, 2), (2, 1, 1, 3), scale=0.5),
            case((0, 2), (3, 2), (0, 3), scale=1.0),
        ],
        _scores,
        lacks=("0-d",),
    ),
    "attention_weights": Row(
        [case((3, 4)), case((2, 2, 3, 1)), case((2, 1, 4)), case((0, 3)), case((3, 0))],
        lambda scores: scipy.special.softmax(scores, axis=-2) if scores.size else scores,
        lacks=("0-d",),
    ),
}
