"""Samples of distgrad/ops/conv.py."""

from typing import Any

import numpy as np
from helpers import sliding
from helpers.sliding import window
from ops.cases import Case, Row, case

# (channels of the input, of the output, groups, size, window)
_GEOMETRIES: list[tuple[int, int, int, Any]] = [
    (1, 1, 1, {"size": (3, 3), "kernel": (1, 1)}),
    (2, 3, 1, {"size": (4, 3), "kernel": (2, 3), "padding": (1, 0)}),
    (1, 5, 1, {"size": (3, 4), "kernel": (2, 2), "padding": (1, 1)}),
    (2, 2, 1, {"size": (5, 4), "kernel": (3, 2), "stride": (2, 1), "padding": (2, 1)}),
    (2, 1, 1, {"size": (4, 5), "kernel": (2, 2), "dilation": (2, 3)}),
    (4, 2, 2, {"size": (3, 4), "kernel": (2, 2), "stride": (1, 3), "padding": (0, 1)}),
    (2, 2, 2, {"size": (3, 3), "kernel": (3, 3), "padding": (1, 1)}),
    (1, 1, 1, {"size": (2, 2), "kernel": (1, 2), "padding": (2, 3)}),
]


def _conv2d_cases() -> list[Case]:
    cases = []
    for number, (inputs, outputs, groups, geometry) in enumerate(_GEOMETRIES):
        shapes = _shapes(2, inputs, outputs, groups, geometry)
        bias = (outputs,) if number % 2 else None
        cases.append(case(*shapes[:2], bias, window=window(**geometry), groups=groups))
    empty = {"size": (3, 3), "kernel": (2, 2)}
    shapes = _shapes(0, 2, 3, 1, empty)
    return [*cases, case(*shapes[:2], (3,), window=window(**empty), groups=1)]


def _shapes(count: int, inputs: int, outputs: int, groups: int, geometry: Any) -> list[Any]:
    return [
        (count, inputs, *geometry["size"]),
        (outputs, inputs // groups, *geometry["kernel"]),
        (count, outputs, *window(**geometry).output),
    ]


def _gradient_cases(of_input: bool) -> list[Case]:
    cases = []
    for count, (inputs, outputs, groups, geometry) in [(2, g) for g in _GEOMETRIES] + [
        (0, _GEOMETRIES[1]),
    ]:
        x, weight, y = _shapes(count, inputs, outputs, groups, geometry)
        attributes = {"window": window(**geometry), "groups": groups}
        if of_input:
            bias = (inputs,) if len(cases) % 2 else None
            cases.append(case(y, weight, bias, **attributes, size=geometry["size"]))
        else:
            cases.append(case(x, y, **attributes))
    return cases


SAMPLES: dict[str, Row] = {
    "channel_sum": Row(
        [case((2, 3, 2, 4)), case((1, 1, 1, 1)), case((0, 2, 3, 3))],
        lambda x: np.sum(x, axis=(0, 2, 3)),
        lacks=("0-d",),
    ),
    "conv2d": Row(_conv2d_cases(), sliding.conv2d, lacks=("0-d",)),
    "conv2d_weight": Row(_gradient_cases(False), sliding.conv2d_weight, lacks=("0-d",)),
    "conv_transpose2d": Row(_gradient_cases(True), sliding.conv_transpose2d, lacks=("0-d",)),
}
