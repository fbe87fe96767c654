"""Samples of distgrad/ops/diagonal.py."""

from typing import Any

import numpy as np
from ops.cases import Row, case


def _put_diagonal(
    values: Any, shape: Any, offset: int = 0, axis1: int = 0, axis2: int = 1
) -> np.ndarray:
    result = np.zeros(shape)
    places = np.arange(result.size).reshape(shape).diagonal(offset, axis1, axis2)
    result.reshape(-1)[places] = values
    return result


_TRIANGLES = [
    case((3, 3)),
    case((2, 4), k=1),
    case((2, 3, 2), k=-1),
    case((3, 2), k=-5),
    case((3, 2), k=5),
    case((0, 3)),
]

SAMPLES: dict[str, Row] = {
    "diagonal": Row(
        [
            case((3, 3)),
            case((2, 4), offset=1),
            case((4, 2), offset=-1),
            case((2, 3, 4), offset=-1, axis1=2, axis2=0),
            case((2, 3, 4), axis1=-1, axis2=1),
            case((2, 2), offset=2),
            case((2, 2), offset=-5),
            case((0, 3)),
        ],
        lacks=("0-d",),
    ),
    "put_diagonal": Row(
        [
            case((3,), shape=(3, 3)),
            case((2,), shape=(2, 4), offset=1),
            case((3, 2), shape=(2, 3, 4), offset=-2, axis1=2, axis2=0),
            case((2, 2), shape=(2, 3, 2), axis1=-1, axis2=1),
            case((0,), shape=(2, 2), offset=2),
        ],
        _put_diagonal,
        lacks=("0-d",),
    ),
    "tril": Row(_TRIANGLES, lacks=("0-d",)),
    "triu": Row(_TRIANGLES, lacks=("0-d",)),
}
