"""Samples of distgrad/ops/norm.py."""

from typing import Any

import numpy as np
from ops.cases import Case, Row, case

# (shape, normalised axes): of each sample, then of each channel.
_GEOMETRIES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((2, 4), (1,)),
    ((2, 2, 3), (1, 2)),
    ((4,), (0,)),
    ((0, 3), (1,)),
    ((4, 2), (0,)),
    ((3, 2, 2), (0, 2)),
    ((2, 3, 2, 2), (0, 2, 3)),
    ((0, 2, 1), (0, 2)),
]


def _weight_shape(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(shape[a] for a in axes) if _of_samples(shape, axes) else shape[1:2]


def _of_samples(shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    return axes == tuple(range(len(shape)))[-len(axes) :]


def _beside(weight: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    return weight if _of_samples(shape, axes) else weight.reshape(-1, *(1,) * (len(shape) - 2))


def _standardized(x: np.ndarray, axes: Any, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """z, and the standard deviation."""
    if not x.size:
        return x, np.ones(())
    deviation = np.sqrt(np.var(x, axis=axes, keepdims=True) + eps)
    return (x - np.mean(x, axis=axes, keepdims=True)) / deviation, deviation


def _normalize(x: Any, weight: Any, bias: Any, axes: Any, eps: float) -> np.ndarray:
    z, _ = _standardized(x, axes, eps)
    if weight is not None:
        z = z * _beside(weight, x.shape, axes)
    return z if bias is None else z + _beside(bias, x.shape, axes)


def _normalize_input(above: Any, x: Any, weight: Any, axes: Any, eps: float) -> np.ndarray:
    """By the matrix of derivatives, written out."""
    if not x.size:
        return x
    h = above if weight is None else above * _beside(weight, x.shape, axes)
    z, deviation = _standardized(x, axes, eps)
    others = tuple(a for a in range(x.ndim) if a not in axes)
    order = (*others, *axes)
    kept = [x.shape[a] for a in others]
    rows, slopes = (v.transpose(order).reshape(int(np.prod(kept)), -1) for v in (z, h))
    scales = deviation.reshape(-1)
    count = rows.shape[1]
    result = np.empty_like(rows)
    for number, (row, slope) in enumerate(zip(rows, slopes, strict=True)):
        matrix = np.eye(count) - 1 / count - np.outer(row, row) / count
        result[number] = matrix @ slope / scales[number]
    return result.reshape([x.shape[a] for a in order]).transpose(np.argsort(order))


def _rms_normalize_input(above: Any, x: Any, axes: Any, eps: float) -> np.ndarray:
    size = np.sqrt(np.square(x).mean(axis=axes, keepdims=True) + eps)
    slope = np.mean(above * x, axis=axes, keepdims=True)
    return above / size - x * slope / size**3


def _normalize_weight(above: Any, x: Any, axes: Any, eps: float) -> np.ndarray:
    product = above * _standardized(x, axes, eps)[0]
    if _of_samples(x.shape, axes):
        return product.sum(axis=tuple(range(x.ndim - len(axes))))
    return product.sum(axis=axes)


def _cases(*inputs: str) -> list[Case]:
    cases = []
    for shape, axes in _GEOMETRIES:
        shapes = {"x": shape, "weight": _weight_shape(shape, axes), "none": None}
        cases.append(case(*(shapes[name] for name in inputs), axes=axes, eps=0.1))
    return cases


SAMPLES: dict[str, Row] = {
    "normalize": Row(
        [
            *_cases("x", "weight", "weight"),
            *_cases("x", "none", "none"),
            *_cases("x", "none", "weight")[:5],
        ],
        _normalize,
        lacks=("0-d",),
    ),
    "normalize_input": Row(
        [*_cases("x", "x", "weight"), *_cases("x", "x", "none")], _normalize_input, lacks=("0-d",)
    ),
    "normalize_weight": Row(_cases("x", "x"), _normalize_weight, lacks=("0-d",)),
    "rms_normalize": Row(
        [case(shape, axes=axes, eps=0.1) for shape, axes in _GEOMETRIES[:4]],
        lambda x, axes, eps: x / np.sqrt(np.square(x).mean(axis=axes, keepdims=True) + eps),
        lacks=("0-d",),
    ),
    "rms_normalize_input": Row(
        [case(shape, shape, axes=axes, eps=0.1) for shape, axes in _GEOMETRIES[:4]],
        _rms_normalize_input,
        lacks=("0-d",),
    ),
}
