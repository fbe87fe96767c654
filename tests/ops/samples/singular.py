"""Samples of distgrad/ops/singular.py."""

from typing import Any

import numpy as np
from ops.cases import Row, case


def _svdvals(x: Any) -> np.ndarray:
    """The roots of the eigenvalues of the smaller square."""
    square = (
        x @ np.swapaxes(x, -1, -2) if x.shape[-2] <= x.shape[-1] else np.swapaxes(x, -1, -2) @ x
    )
    return np.sqrt(np.linalg.eigvalsh(square)[..., ::-1])


def _packed(x: Any) -> np.ndarray:
    u, s, v = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([u, s[..., None, :], np.swapaxes(v, -1, -2)], axis=-2)


_MATRICES = [case((3, 3)), case((2, 4)), case((4, 2)), case((2, 3, 2)), case((0, 2, 2))]


SAMPLES: dict[str, Row] = {
    "svd_packed": Row(_MATRICES, _packed, lacks=("0-d",)),
    "svdvals": Row(_MATRICES, _svdvals, lacks=("0-d",)),
}
