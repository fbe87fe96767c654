"""Samples of distgrad/ops/gru.py."""

from typing import Any

import numpy as np
from helpers.recurrent import SPANS, gru_step, parts, sequence_by_sequence, sigmoid
from ops.cases import Case, Row, case


def _shapes(hidden: int, spans: Any) -> list[tuple[int, ...]]:
    rows, count = max(end for _, end in spans), max(end - start for start, end in spans)
    return [(rows, 3 * hidden), (count, hidden), (3 * hidden, hidden), (hidden,)]


def _layer(hidden: int, spans: Any) -> Case:
    size = sum(int(np.prod(shape)) for shape in _shapes(hidden, spans))
    return case((size,), hidden=hidden, spans=spans)


def _gru(given: np.ndarray, hidden: int, spans: Any) -> np.ndarray:
    gates, h, weight, bias = parts(given, _shapes(hidden, spans))
    made = sequence_by_sequence(gru_step(weight, bias), gates, [h], spans)
    return np.concatenate([x.reshape(-1) for x in (*made, h, weight, bias)])


def _cell(of_x: np.ndarray, of_h: np.ndarray, h: np.ndarray) -> np.ndarray:
    by_x, by_h = (np.split(x, 3, axis=1) for x in (of_x, of_h))
    r, u = sigmoid(by_x[0] + by_h[0]), sigmoid(by_x[1] + by_h[1])
    n = np.tanh(by_x[2] + r * by_h[2])
    return np.stack([(1 - u) * n + u * h, r, u, by_h[2], n])


SAMPLES: dict[str, Row] = {
    "gru": Row(
        [
            _layer(2, SPANS["even reverse"]),
            _layer(1, SPANS["falling"]),
            _layer(1, SPANS["falling reverse"]),
            _layer(0, SPANS["even"]),
        ],
        _gru,
        lacks=("0-d",),
    ),
    "gru_cell": Row(
        [case((2, 9), (2, 9), (2, 3)), case((0, 6), (0, 6), (0, 2))], _cell, lacks=("0-d",)
    ),
}
