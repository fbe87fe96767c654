"""Samples of distgrad/ops/embedding.py."""

from typing import Any

import numpy as np
from ops.cases import Case, Row, case

# (rows, width, indices)
_TABLES: list[tuple[int, int, Any]] = [
    (4, 3, [2, 0, 2, 2, 3]),
    (3, 2, [[1, 1], [0, 1]]),
    (3, 1, 2),
    (2, 2, []),
    (2, 0, [1]),
]


def _cases(of_table: bool) -> list[Case]:
    cases = []
    for rows, width, listed in _TABLES:
        indices = np.array(listed, np.int64)
        for padding, by_frequency in ((None, False), (1, False), (1, True)):
            given = {"indices": indices, "padding": padding, "by_frequency": by_frequency}
            if of_table:
                cases.append(case((rows, width), **given))
            else:
                cases.append(case((*indices.shape, width), **given, rows=rows))
    return cases


def _embedding_table(
    above: np.ndarray, indices: Any, padding: Any, rows: int, by_frequency: bool
) -> np.ndarray:
    table = np.zeros((rows, above.shape[-1]))
    for place in np.ndindex(indices.shape):
        if indices[place] != padding:
            count = (indices == indices[place]).sum() if by_frequency else 1
            table[indices[place]] += above[place] / count
    return table


SAMPLES: dict[str, Row] = {
    "embedding": Row(
        [c for c in _cases(True) if c.attributes["padding"] is None],
        lambda table, indices, padding, by_frequency: np.take(table, indices, axis=0),
        lacks=("0-d",),
    ),
    "embedding_table": Row(_cases(False), _embedding_table, lacks=("0-d",)),
}
