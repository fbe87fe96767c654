"""`Adadelta`: steps scaled by the ratio of past steps and gradients."""

from functools import partial

from distgrad.backend import Array, Namespace
from distgrad.optim.checks import require, require_non_negative, require_rate
from distgrad.optim.elementwise import ElementwiseOptimizer
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descent_direction, follow_square

__all__ = ["Adadelta"]


class Adadelta(ElementwiseOptimizer):
    """Adadelta: ``p -= lr * d`` with ``d = sqrt(u + eps) / sqrt(v + eps) * g``.

    v and u are the running means of g * g and of d * d. M. D. Zeiler, "ADADELTA: an adaptive
    learning rate method", 2012.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 1.
        rho: Decay per step of the running means. Default: 0.9.
        eps: Keeps the denominator, and the first steps, from zero. Default: 1e-6.
        weight_decay: Factor of the penalty's gradient ``p``, which is added to ``g``. Default: 0.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([1.0, -2.0]))
        >>> optimizer = dg.optim.Adadelta([p], rho=0.0, eps=1.0)
        >>> p.grad = dg.tensor([0.75, 0.0])
        >>> optimizer.step()  # 0.75 / sqrt(0.75 * 0.75 + 1)
        >>> [round(value, 4) for value in p.tolist()]
        [0.4, -2.0]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        require_rate(lr)
        require(0.0 <= rho <= 1.0, "rho value", rho)
        require_non_negative(eps=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:  # noqa: ARG002 (the base's)
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def _kernel(self, group: ParamGroup, age: int) -> Kernel:  # noqa: ARG002 (the base's)
        options = ("lr", "rho", "eps", "weight_decay", "maximize")
        return partial(_update, **{name: group[name] for name in options})


def _update(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,
    square_avg: Array,
    acc_delta: Array,
    *,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    direction = descent_direction(
        xp, scratch, param, grad, weight_decay=weight_decay, maximize=maximize
    )
    follow_square(xp, product, square_avg, direction, rho)
    xp.add(square_avg, eps, out=product)
    xp.sqrt(product, out=product)
    delta = xp.divide(direction, product, out=product)
    length = xp.add(acc_delta, eps, out=scratch)  # the direction is not needed any more
    xp.sqrt(length, out=length)
    delta *= length
    follow_square(xp, scratch, acc_delta, delta, rho)
    delta *= lr
    param -= delta
