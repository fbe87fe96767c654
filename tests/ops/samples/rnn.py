"""Samples of distgrad/ops/rnn.py."""

from typing import Any

import numpy as np
from helpers.recurrent import SPANS, parts, rnn_step, sequence_by_sequence
from ops.cases import Case, Row, case


def _shapes(hidden: int, spans: Any) -> list[tuple[int, ...]]:
    rows, count = max(end for _, end in spans), max(end - start for start, end in spans)
    return [(rows, hidden), (count, hidden), (hidden, hidden)]


def _layer(hidden: int, spans: Any, nonlinearity: str) -> Case:
    size = sum(int(np.prod(shape)) for shape in _shapes(hidden, spans))
    return case((size,), hidden=hidden, spans=spans, nonlinearity=nonlinearity)


def _rnn(given: np.ndarray, hidden: int, spans: Any, nonlinearity: str) -> np.ndarray:
    gates, h, weight = parts(given, _shapes(hidden, spans))
    made = sequence_by_sequence(rnn_step(weight, nonlinearity), gates, [h], spans)
    return np.concatenate([x.reshape(-1) for x in (*made, h, weight)])


SAMPLES: dict[str, Row] = {
    "rnn": Row(
        [
            _layer(2, SPANS["even"], "tanh"),
            _layer(2, SPANS["falling reverse"], "tanh"),
            _layer(2, SPANS["falling"], "relu"),
            _layer(0, SPANS["even reverse"], "relu"),
        ],
        _rnn,
        lacks=("0-d",),
    ),
}
