"""`RAdam`: Adam that trusts its scale only once enough gradients were seen."""

import math
from functools import partial

from distgrad.backend import Array, Namespace
from distgrad.optim.checks import require_betas, require_non_negative, require_rate
from distgrad.optim.elementwise import ElementwiseOptimizer
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descend, descent_direction, follow, follow_square

__all__ = ["RAdam"]


class RAdam(ElementwiseOptimizer):
    """Rectified Adam: ``p -= lr * r * m / (sqrt(v) + eps)``, in the first steps ``p -= lr * m``.

    m and v are the unbiased means of g and g * g; r rises to 1 as the variance of 1 / sqrt(v)
    settles. L. Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020.
    As in PyTorch, v is rectified from a length of the average above 5 on.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 1e-3.
        betas: Decay per step of the means of g and of g * g, each below 1. Default: (0.9, 0.999).
        eps: Keeps the denominator from zero. Default: 1e-8.
        weight_decay: Factor of the penalty's gradient ``p``, which is added to ``g``. Default: 0.
        decoupled_weight_decay: Let the parameter shrink by ``lr * weight_decay`` instead, as in
            `AdamW`.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([1.0, -2.0]))
        >>> optimizer = dg.optim.RAdam([p], lr=0.25)
        >>> (p * p).sum().backward()
        >>> optimizer.step()  # lr times the gradient
        >>> p.tolist()
        [0.5, -1.0]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        require_rate(lr)
        require_betas(betas)
        require_non_negative(eps=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:  # noqa: ARG002 (the base's)
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def _kernel(self, group: ParamGroup, age: int) -> Kernel:
        beta1, beta2 = group["betas"]
        rectified = _rectification(beta2, age)
        decay, decoupled = group["weight_decay"], group["decoupled_weight_decay"]
        return partial(
            _update,
            beta1=beta1,
            beta2=beta2,
            step_size=group["lr"] * (rectified or 1.0) / (1.0 - beta1**age),
            adaptive=rectified is not None,
            eps=group["eps"],
            shrink=1.0 - group["lr"] * decay if decoupled else 1.0,
            weight_decay=0.0 if decoupled else decay,
            maximize=group["maximize"],
        )


def _rectification(beta2: float, age: int) -> float | None:
    """Return the factor of an adaptive step, bias of v included; None for one that is not."""
    unbiased = 1.0 - beta2**age
    longest = 2.0 / (1.0 - beta2) - 1.0
    length = longest - 2.0 * age * beta2**age / unbiased
    if length <= 5.0:
        return None
    above = (length - 4.0) * (length - 2.0) * longest
    return math.sqrt(above / ((longest - 4.0) * (longest - 2.0) * length) * unbiased)


def _update(
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
    step_size: float,
    adaptive: bool,
    eps: float,
    shrink: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    direction = descent_direction(
        xp, scratch, param, grad, weight_decay=weight_decay, maximize=maximize
    )
    follow(xp, product, exp_avg, direction, beta1)
    follow_square(xp, product, exp_avg_sq, direction, beta2)
    if adaptive:
        xp.sqrt(exp_avg_sq, out=product)
        product += eps
        xp.divide(exp_avg, product, out=product)
        product *= step_size
    else:
        xp.multiply(exp_avg, step_size, out=product)
    descend(param, product, shrink)
