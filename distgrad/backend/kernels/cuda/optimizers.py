"""Steps of SGD and Adam over flat memory."""

from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import by_element, launch, served

__all__ = ["COLUMN"]


def sgd_update(
    xp: Namespace,
    scratch: Array,  # noqa: ARG001 (the reference's room)
    product: Array,  # noqa: ARG001
    param: Array,
    grad: Array,
    buffer: Array | None = None,
    *,
    lr: float,
    momentum: float,
    gain: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> Any:
    if not served(param, grad, buffer):
        return NotImplemented
    rates = float(lr), float(momentum), float(gain), float(weight_decay)
    given = param, grad, buffer, *rates, int(nesterov), int(maximize), param.size
    return launch(xp, "optimizer.sgd", param.dtype, by_element(param), *given)


def adam_update(
    xp: Namespace,
    scratch: Array,  # noqa: ARG001
    product: Array,  # noqa: ARG001
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None = None,
    *,
    beta1: float,
    beta2: float,
    step_size: float,
    eps: float,
    shrink: float,
    weight_decay: float,
    maximize: bool,
) -> Any:
    if not served(param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq):
        return NotImplemented
    arrays = param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq
    rates = [float(r) for r in (step_size, eps, shrink, 1.0 - beta1, 1.0 - beta2, beta2)]
    given = *arrays, *rates, float(weight_decay), int(maximize), param.size
    return launch(xp, "optimizer.adam", param.dtype, by_element(param), *given)


COLUMN = {"adam_update": adam_update, "sgd_update": sgd_update}
