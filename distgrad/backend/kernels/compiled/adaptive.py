"""The updates of Adagrad, RMSprop and Lion on one block; see the kernels in distgrad.optim."""

from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled.arguments import in_place
from distgrad.backend.kernels.compiled.compiling import compiled
from distgrad.backend.kernels.compiled.optimizers import direction, sign_of
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN"]

_ZERO, _ONE = np.float32(0), np.float32(1)


@compiled("void(f4[::1], f4[::1], f4[::1], f4, f4, f4, f4)")
def _adagrad(
    param: Any, grad: Any, total: Any, rate: Any, eps: Any, weight_decay: Any, sign: Any
) -> None:
    for i in range(param.size):
        g = direction(param[i], grad[i], weight_decay, sign)
        total[i] += g * g
        param[i] -= g / (np.sqrt(total[i]) + eps) * rate


@compiled("void(f4[::1], f4[::1], f4[::1], f4, f4, f4, f4, f4, f4)")
def _rmsprop(
    param: Any,
    grad: Any,
    square: Any,
    lr: Any,
    alpha: Any,
    new: Any,
    eps: Any,
    weight_decay: Any,
    sign: Any,
) -> None:
    for i in range(param.size):
        g = direction(param[i], grad[i], weight_decay, sign)
        square[i] = square[i] * alpha + g * g * new
        param[i] -= g / (np.sqrt(square[i]) + eps) * lr


@compiled("void(f4[::1], f4[::1], f4[::1], f4[::1], f4, f4, f4, f4, f4, f4, f4)")
def _rmsprop_with_momentum(
    param: Any,
    grad: Any,
    square: Any,
    buffer: Any,
    lr: Any,
    alpha: Any,
    new: Any,
    eps: Any,
    momentum: Any,
    weight_decay: Any,
    sign: Any,
) -> None:
    for i in range(param.size):
        g = direction(param[i], grad[i], weight_decay, sign)
        square[i] = square[i] * alpha + g * g * new
        buffer[i] = buffer[i] * momentum + g / (np.sqrt(square[i]) + eps)
        param[i] -= buffer[i] * lr


@compiled("void(f4[::1], f4[::1], f4[::1], f4, f4, f4, f4, f4, f4)")
def _lion(
    param: Any,
    grad: Any,
    mean: Any,
    beta1: Any,
    beta2: Any,
    now: Any,
    later: Any,
    lr: Any,
    shrink: Any,
) -> None:
    for i in range(param.size):
        step = mean[i] * beta1 + grad[i] * now
        step = _ONE if step > _ZERO else -_ONE if step < _ZERO else step  # nan stays
        mean[i] = mean[i] * beta2 + grad[i] * later
        param[i] = param[i] * shrink - step * lr


def adagrad_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,
    total: Array,
    *,
    rate: float,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> Any:
    del xp, scratch, product
    if not in_place(param, grad, total):
        return NotImplemented
    return _adagrad(param, grad, total, rate, eps, weight_decay, sign_of(maximize))


def rmsprop_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,
    square_avg: Array,
    *others: Array,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
    maximize: bool,
) -> Any:
    del xp, scratch, product
    if centered or not in_place(param, grad, square_avg, *others):
        return NotImplemented
    numbers, sign = (lr, alpha, 1 - alpha, eps), sign_of(maximize)
    if not momentum:
        return _rmsprop(param, grad, square_avg, *numbers, weight_decay, sign)
    arrays = param, grad, square_avg, *others
    return _rmsprop_with_momentum(*arrays, *numbers, momentum, weight_decay, sign)


def lion_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,
    exp_avg: Array,
    *,
    beta1: float,
    beta2: float,
    now: float,
    later: float,
    lr: float,
    shrink: float,
) -> Any:
    del xp, scratch, product
    if not in_place(param, grad, exp_avg):
        return NotImplemented
    return _lion(param, grad, exp_avg, beta1, beta2, now, later, lr, shrink)


COLUMN: Column = {
    "adagrad_update": adagrad_update,
    "lion_update": lion_update,
    "rmsprop_update": rmsprop_update,
}
