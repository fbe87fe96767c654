"""Samples of distgrad/ops/loss.py."""

from typing import Any

import numpy as np
import scipy.special
from ops.cases import Case, Row, case


def _cross_entropy(x: np.ndarray, target: np.ndarray, axis: int, *how: Any, **named: Any) -> Any:
    return _nll_loss(scipy.special.log_softmax(x, axis=axis), target, axis, *how, **named)


def _nll_loss(
    x: np.ndarray,
    target: np.ndarray,
    axis: int,
    reduction: str,
    ignore_index: int,
    weight: Any = None,
) -> Any:
    log_p = np.moveaxis(x, axis, -1)
    losses, count = np.zeros(target.shape), 0
    for place in np.ndindex(target.shape):
        if target[place] != ignore_index:
            factor = 1 if weight is None else weight[target[place]]
            losses[place] = -log_p[place][target[place]] * factor
            count += factor
    mean = losses.sum() / (count or 1)
    return {"none": losses, "sum": losses.sum(), "mean": mean}[reduction]


def _cross_entropy_x(
    g: np.ndarray,
    x: np.ndarray,
    target: np.ndarray,
    axis: int,
    reduction: str,
    ignore_index: int,
    weight: Any = None,
) -> np.ndarray:
    result = np.zeros_like(x)
    rows, p = (np.moveaxis(v, axis, -1) for v in (result, scipy.special.softmax(x, axis=axis)))
    factors = np.zeros(target.shape)
    for place in np.ndindex(target.shape):
        if target[place] != ignore_index:
            factors[place] = 1 if weight is None else weight[target[place]]
            rows[place] = p[place] - np.eye(x.shape[axis])[target[place]]
    if reduction == "mean":
        factors /= factors.sum() or 1
    return result * np.expand_dims(g * factors, axis)


def _mse_loss(x: np.ndarray, target: np.ndarray, reduction: str) -> Any:
    squares = np.square(np.subtract(x, target))
    mean = squares.sum() / max(squares.size, 1)
    return {"none": squares, "sum": squares.sum(), "mean": mean}[reduction]


def _mse_loss_x(g: Any, x: Any, target: Any, reduction: str) -> np.ndarray:
    count = max(np.size(x), 1) if reduction == "mean" else 1
    return np.asarray(2 * g * np.subtract(x, target) / count)


def _class_cases() -> list[Case]:
    samples: list[tuple[tuple[int, ...], Any, int]] = [
        ((4, 3), [0, 2, -100, 2], 1),
        ((3,), 1, 0),
        ((2, 3, 2), [[0, 1], [2, -100]], 1),
        ((0, 3), [], 1),
    ]
    return [
        case(
            shape,
            target=np.array(target, np.int64),
            axis=axis,
            reduction=reduction,
            ignore_index=-100,
            weight=weight,
        )
        for shape, target, axis in samples
        for weight in (None, np.array([0.5, 2.0, 1.0]))
        for reduction in (["none", "sum"] if 0 in shape else ["none", "sum", "mean"])
    ]


def _with_gradient(given: Case) -> Case:
    """The call of the gradient, with what comes from above in front."""
    (x,) = given.inputs
    above = case(np.shape(_cross_entropy(x, **given.attributes))).inputs
    return Case((*above, x), given.attributes)


def probabilities(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.uniform(0.1, 0.9, shape)


SAMPLES: dict[str, Row] = {
    "binary_cross_entropy": Row(
        [
            case(*shapes, domain=probabilities)
            for shapes in [((2, 3), (2, 3)), ((2, 3), (3,)), ((), ()), ((0,), (0,))]
        ],
        lambda x, target: -scipy.special.xlogy(target, x) - scipy.special.xlog1py(1 - target, -x),
    ),
    "cross_entropy": Row(_class_cases(), _cross_entropy, lacks=("0-d",)),
    "cross_entropy_x": Row(
        [_with_gradient(given) for given in _class_cases()], _cross_entropy_x, lacks=("0-d x",)
    ),
    "log_softmax": Row(
        [case((2, 3), axis=1), case((2, 3, 2), axis=0), case((4,), axis=-1), case((0, 3), axis=1)],
        scipy.special.log_softmax,
        lacks=("0-d",),
    ),
    "mse_loss": Row(
        [
            case(*shapes, reduction=reduction)
            for shapes in [((2, 3), (2, 3)), ((2, 3), (3,)), ((), ())]
            for reduction in ("none", "sum", "mean")
        ]
        + [case((0,), (0,), reduction="sum")],
        _mse_loss,
    ),
    "mse_loss_x": Row(
        [
            case(above, *shapes, reduction=reduction)
            for shapes in [((2, 3), (2, 3)), ((2, 3), (3,)), ((), ())]
            for above, reduction in ((shapes[0], "none"), ((), "sum"), ((), "mean"))
        ]
        + [case((), (0,), (0,), reduction="sum")],
        _mse_loss_x,
    ),
    "nll_loss": Row(_class_cases(), _nll_loss, lacks=("0-d",)),
}
