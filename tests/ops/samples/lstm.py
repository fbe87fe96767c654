"""Samples of distgrad/ops/lstm.py."""

from typing import Any

import numpy as np
from helpers.recurrent import SPANS, lstm_step, parts, sequence_by_sequence
from ops.cases import Case, Row, case


def _shapes(hidden: int, width: int, spans: Any) -> list[tuple[int, ...]]:
    rows, count = max(end for _, end in spans), max(end - start for start, end in spans)
    shapes = [(rows, 4 * hidden), (count, width), (count, hidden), (4 * hidden, width)]
    return shapes if width == hidden else [*shapes, (width, hidden)]


def _layer(hidden: int, width: int, spans: Any) -> Case:
    size = sum(int(np.prod(shape)) for shape in _shapes(hidden, width, spans))
    return case((size,), hidden=hidden, width=width, spans=spans)


def _lstm(given: np.ndarray, hidden: int, width: int, spans: Any) -> np.ndarray:
    gates, h, c, *weights = parts(given, _shapes(hidden, width, spans))
    made = sequence_by_sequence(lstm_step(*weights), gates, [h, c], spans)
    return np.concatenate([x.reshape(-1) for x in (*made, h, c, *weights)])


def _cell(gates: np.ndarray, c: np.ndarray) -> np.ndarray:
    if not c.size:
        return np.zeros((6, *c.shape))
    count, hidden = c.shape
    step = lstm_step(np.zeros((4 * hidden, 1)))
    one = sequence_by_sequence(step, gates, [np.zeros((count, 1)), c], ((0, count),))
    return np.concatenate([one[0][None], one[1][None], one[2].transpose(1, 0, 2)])


SAMPLES: dict[str, Row] = {
    "lstm": Row(
        [
            _layer(2, 2, SPANS["even"]),
            _layer(2, 1, SPANS["falling"]),
            _layer(1, 1, SPANS["falling reverse"]),
            _layer(0, 0, SPANS["even reverse"]),
        ],
        _lstm,
        lacks=("0-d",),
    ),
    "lstm_cell": Row([case((2, 12), (2, 3)), case((0, 8), (0, 2))], _cell, lacks=("0-d",)),
}
