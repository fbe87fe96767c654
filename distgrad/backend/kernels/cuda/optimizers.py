"""Steps of SGD, Adam and LAMB over flat memory."""

from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.deferred import Deferred, do_or_tell
from distgrad.backend.kernels.cuda.launching import by_element, launch, served

__all__ = ["COLUMN"]

_WIDE = 4  # bytes of an element


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
    numbers = lr, momentum, gain, weight_decay
    given = param, grad, buffer, int(nesterov), int(maximize), param.size
    return _step(xp, "optimizer.sgd", numbers, given)


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
    numbers = step_size, eps, shrink, 1.0 - beta1, 1.0 - beta2, beta2, weight_decay
    arrays = param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq
    return _step(xp, "optimizer.adam", numbers, (*arrays, int(maximize), param.size))


def lamb_measure(
    xp: Namespace,
    scratch: Array,
    product: Array,  # noqa: ARG001
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
    arrays = scratch, param, grad, exp_avg, exp_avg_sq
    if not _are_exact(arrays):
        return NotImplemented
    rates = [float(r) for r in (1.0 - beta1, 1.0 - beta2, beta2, scale, eps, weight_decay)]
    given = *arrays, *rates, int(maximize), param.size
    launch(xp, "optimizer.lamb_measure", param.dtype, by_element(param), *given)
    return param, scratch


def lamb_update(
    xp: Namespace,
    scratch: Array,
    product: Array,  # noqa: ARG001
    param: Array,
    grad: Array,  # noqa: ARG001
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    rate: float,
    scale: float,
    eps: float,
    weight_decay: float,
) -> Any:
    arrays = param, exp_avg, exp_avg_sq
    if not _are_exact((*arrays, scratch)):
        return NotImplemented
    rates = [float(r) for r in (scale, eps, weight_decay, rate)]
    given = *arrays, *rates, param.size
    return launch(xp, "optimizer.lamb_update", param.dtype, by_element(param), *given)


def _are_exact(arrays: tuple[Array, ...]) -> bool:
    """Tell whether kernels have the bits of the references, which round what is kept meanwhile."""
    return served(*arrays) and bool(arrays[0].itemsize >= _WIDE)


def _step(xp: Namespace, kernel: str, numbers: tuple[Any, ...], given: tuple[Any, ...]) -> None:
    """Launch a kernel that takes its numbers as they are, or reads them from memory."""
    plain = tuple([float(number) for number in numbers])

    def make(memory: Array | None) -> None:
        param, values = given[0], plain if memory is None else (0.0,) * len(plain)
        launch(xp, kernel, param.dtype, by_element(param), memory, *values, *given)

    do_or_tell(Deferred(kernel, given, plain, make))


COLUMN = {
    "adam_update": adam_update,
    "lamb_measure": lamb_measure,
    "lamb_update": lamb_update,
    "sgd_update": sgd_update,
}
