"""The updates of Adam, SGD, LARS and LAMB on one block, each in one pass; see distgrad.optim."""

from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled.arguments import in_place
from distgrad.backend.kernels.compiled.compiling import compiled, inlined
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN", "direction", "sign_of"]

_ZERO = np.float32(0)


@inlined
def direction(param: Any, grad: Any, weight_decay: Any, sign: Any) -> Any:
    """What is minimised: the gradient, with that of the penalty; the sign is -1 to maximise."""
    g = grad * sign
    return g + param * weight_decay if weight_decay != _ZERO else g


@compiled("void(f4[::1], f4[::1], f4[::1], f4[::1], f4, f4, f4, f4, f4, f4, f4, f4)")
def _adam(
    param: Any,
    grad: Any,
    mean: Any,
    square: Any,
    new1: Any,
    beta2: Any,
    new2: Any,
    step_size: Any,
    eps: Any,
    shrink: Any,
    weight_decay: Any,
    sign: Any,
) -> None:
    for i in range(param.size):
        g = direction(param[i], grad[i], weight_decay, sign)
        mean[i] += (g - mean[i]) * new1
        square[i] = square[i] * beta2 + g * g * new2
        step = mean[i] / (np.sqrt(square[i]) + eps) * step_size
        param[i] = param[i] * shrink - step


@compiled("void(f4[::1], f4[::1], f4, f4, f4)")
def _sgd(param: Any, grad: Any, lr: Any, weight_decay: Any, sign: Any) -> None:
    for i in range(param.size):
        param[i] -= direction(param[i], grad[i], weight_decay, sign) * lr


@compiled("void(f4[::1], f4[::1], f4[::1], f4, f4, f4, f4, f4, f4)")
def _momentum(
    param: Any,
    grad: Any,
    buffer: Any,
    lr: Any,
    momentum: Any,
    gain: Any,
    ahead: Any,
    weight_decay: Any,
    sign: Any,
) -> None:
    """``ahead`` is the momentum for Nesterov's, and -1 for the plain one."""
    for i in range(param.size):
        g = direction(param[i], grad[i], weight_decay, sign)
        v = buffer[i] * momentum + g * gain
        buffer[i] = v
        param[i] -= (v if ahead < _ZERO else g + v * ahead) * lr


@compiled("void(f4[::1], f4[::1], f4[::1], f4, f4, f4, f4)")
def _lars(
    param: Any, grad: Any, buffer: Any, rate: Any, momentum: Any, weight_decay: Any, sign: Any
) -> None:
    for i in range(param.size):
        step = direction(param[i], grad[i], weight_decay, sign) * rate
        buffer[i] = buffer[i] * momentum + step
        param[i] -= buffer[i]


@inlined
def _lamb_direction(param: Any, mean: Any, square: Any, scale: Any, eps: Any, decay: Any) -> Any:
    step = mean / (np.sqrt(square) + eps) * scale
    return step + param * decay if decay != _ZERO else step


@compiled("void(f4[::1], f4[::1], f4[::1], f4[::1], f4[::1], f4, f4, f4, f4, f4, f4, f4)")
def _lamb_measure(
    result: Any,
    param: Any,
    grad: Any,
    mean: Any,
    square: Any,
    new1: Any,
    beta2: Any,
    new2: Any,
    sign: Any,
    scale: Any,
    eps: Any,
    decay: Any,
) -> None:
    for i in range(param.size):
        g = grad[i] * sign
        mean[i] += (g - mean[i]) * new1
        square[i] = square[i] * beta2 + g * g * new2
        result[i] = _lamb_direction(param[i], mean[i], square[i], scale, eps, decay)


@compiled("void(f4[::1], f4[::1], f4[::1], f4, f4, f4, f4)")
def _lamb(param: Any, mean: Any, square: Any, rate: Any, scale: Any, eps: Any, decay: Any) -> None:
    for i in range(param.size):
        param[i] -= _lamb_direction(param[i], mean[i], square[i], scale, eps, decay) * rate


def adam_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
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
    del xp, scratch, product
    if max_exp_avg_sq is not None or not in_place(param, grad, exp_avg, exp_avg_sq):
        return NotImplemented
    numbers = (1 - beta1, beta2, 1 - beta2, step_size, eps, shrink, weight_decay)
    return _adam(param, grad, exp_avg, exp_avg_sq, *numbers, sign_of(maximize))


def sgd_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
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
    del xp, scratch, product
    if not in_place(param, grad, *(() if buffer is None else (buffer,))):
        return NotImplemented
    if buffer is None:
        return _sgd(param, grad, lr, weight_decay, sign_of(maximize))
    ahead = momentum if nesterov else -1.0
    sign = sign_of(maximize)
    return _momentum(param, grad, buffer, lr, momentum, gain, ahead, weight_decay, sign)


def lars_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,
    buffer: Array | None = None,
    *,
    rate: float,
    momentum: float,
    weight_decay: float,
    maximize: bool,
) -> Any:
    del xp, scratch, product
    if buffer is None or not in_place(param, grad, buffer):
        return NotImplemented
    return _lars(param, grad, buffer, rate, momentum, weight_decay, sign_of(maximize))


def lamb_measure(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    beta1: float,
    beta2: float,
    maximize: bool,
    scale: float,
    eps: float,
    weight_decay: float,
) -> Any:
    del xp, product
    if not in_place(scratch, param, grad, exp_avg, exp_avg_sq):
        return NotImplemented
    numbers = (1 - beta1, beta2, 1 - beta2, sign_of(maximize), scale, eps, weight_decay)
    _lamb_measure(scratch, param, grad, exp_avg, exp_avg_sq, *numbers)
    return param, scratch


def lamb_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    rate: float,
    scale: float,
    eps: float,
    weight_decay: float,
) -> Any:
    del xp, scratch, product, grad
    if not in_place(param, exp_avg, exp_avg_sq):
        return NotImplemented
    return _lamb(param, exp_avg, exp_avg_sq, rate, scale, eps, weight_decay)


def sign_of(maximize: bool) -> float:
    """Return the factor of a gradient."""
    return -1.0 if maximize else 1.0


COLUMN: Column = {
    "adam_update": adam_update,
    "lamb_measure": lamb_measure,
    "lamb_update": lamb_update,
    "lars_update": lars_update,
    "sgd_update": sgd_update,
}
