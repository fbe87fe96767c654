"""Samples of distgrad/ops/pool.py."""

from typing import Any

import numpy as np
from helpers import sliding
from helpers.sliding import window
from ops.cases import Row, case, distinct

_GEOMETRIES: list[Any] = [
    {"size": (4, 4), "kernel": (2, 2), "stride": (2, 2)},
    {"size": (5, 3), "kernel": (2, 1), "stride": (3, 2)},
    {"size": (3, 4), "kernel": (3, 2), "stride": (1, 2), "padding": (1, 1)},
    {"size": (4, 5), "kernel": (2, 2), "dilation": (2, 3)},
]
_BATCHES = [(2, geometry) for geometry in _GEOMETRIES] + [(0, _GEOMETRIES[0])]


class _Sample:
    """One geometry: shapes, attributes, and the winners of random images."""

    def __init__(self, batch: int, geometry: Any) -> None:
        self.window = window(**geometry)
        self.size = geometry["size"]
        self.x = (batch, 2, *self.size)
        self.y = (batch, 2, *self.window.output)
        self.images = distinct(np.random.default_rng(5), self.x)
        self.largest = sliding.max_pool2d(self.images, self.window)
        self.winner = sliding.max_pool2d_winner(self.images, self.largest, self.window)
        self.counts = tuple(range(1, self.y[2] + 1)), (4,) * self.y[3]


_SAMPLES = [_Sample(*pair) for pair in _BATCHES]

SAMPLES: dict[str, Row] = {
    "avg_pool2d": Row(
        [case(s.x, window=s.window, counts=s.counts) for s in _SAMPLES],
        sliding.avg_pool2d,
        lacks=("0-d",),
    ),
    "avg_pool2d_input": Row(
        [case(s.y, window=s.window, counts=s.counts, size=s.size) for s in _SAMPLES],
        sliding.avg_pool2d_input,
        lacks=("0-d",),
    ),
    "max_pool2d": Row(
        [case(s.x, domain=distinct, window=s.window) for s in _SAMPLES],
        sliding.max_pool2d,
        lacks=("0-d",),
    ),
    "max_pool2d_gather": Row(
        [case(s.x, s.winner, window=s.window) for s in _SAMPLES],
        sliding.max_pool2d_gather,
        constants=("winner",),
        lacks=("0-d",),
    ),
    "max_pool2d_indices": Row(
        [case(s.images, s.largest, window=s.window) for s in _SAMPLES],
        sliding.max_pool2d_indices,
        constants=None,
        lacks=("0-d",),
        keeps_dtype=False,
    ),
    "max_pool2d_scatter": Row(
        [case(s.y, s.winner, window=s.window, size=s.size) for s in _SAMPLES],
        sliding.max_pool2d_scatter,
        constants=("winner",),
        lacks=("0-d",),
    ),
    "max_pool2d_winner": Row(
        [case(s.images, s.largest, window=s.window) for s in _SAMPLES],
        sliding.max_pool2d_winner,
        constants=None,
        lacks=("0-d",),
        keeps_dtype=False,
    ),
    "max_pool2d_x": Row(
        [case(s.y, s.images, s.largest, window=s.window) for s in _SAMPLES],
        sliding.max_pool2d_x,
        constants=("x", "largest"),
        lacks=("0-d",),
    ),
}
