"""Samples of distgrad/ops/dropout.py."""

from typing import Any

import numpy as np
from ops.cases import Case, Row


def _calls(inputs: int) -> list[Case]:
    def call(kept: Any) -> Case:
        kept = np.asarray(kept, bool)
        generator = np.random.default_rng(kept.ndim)
        drawn = [np.asarray(generator.normal(size=kept.shape)) for _ in range(inputs)]
        return Case((*drawn, kept), {"scale": np.float32(2)})

    return [call(kept) for kept in ([[0, 1], [1, 0]], 1, 0, np.ones(0))]


SAMPLES: dict[str, Row] = {
    "dropout": Row(
        _calls(1),
        lambda x, kept, scale: np.where(kept, scale * x, 0),
        constants=("kept",),
    ),
    "dropout_add": Row(
        _calls(2),
        lambda x, residual, kept, scale: residual + np.where(kept, scale * x, 0),
        constants=("kept",),
    ),
}
