"""`LAMB`: AdamW with a learning rate for each layer, for large batches."""

import math
from functools import partial
from typing import Any

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import kernel
from distgrad.optim.checks import require_betas, require_non_negative, require_rate
from distgrad.optim.normed import NormedOptimizer, Norms
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descent_direction, follow, follow_square

__all__ = ["LAMB"]


class LAMB(NormedOptimizer):
    """Layer-wise adaptive moments: ``p -= lr * norm(p) / norm(u) * u``.

    ``u = m / (sqrt(v) + eps) + weight_decay * p``, m and v the unbiased means of g and g * g; where
    one of the norms is 0 their quotient counts as 1. Y. You et al., "Large batch optimization for
    deep learning: training BERT in 76 minutes", ICLR 2020, algorithm 2, with the norm itself for
    its function phi.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 1e-3.
        betas: Decay per step of the means of g and of g * g, each below 1. Default: (0.9, 0.999).
        eps: Keeps the denominator from zero. Default: 1e-6.
        weight_decay: Share of the parameter in its update. Default: 1e-2.
        adapt: Whether norms scale the step; False for a group, such as biases and what
            normalisations scale and shift by, makes it that of `AdamW`. Default: True.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([3.0, 4.0]))
        >>> optimizer = dg.optim.LAMB([p], lr=0.5, weight_decay=0.0)
        >>> p.grad = dg.tensor([0.0, 100.0])
        >>> optimizer.step()  # half the norm of p, whatever that of the gradient
        >>> p.tolist()
        [3.0, 1.5]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 1e-2,
        adapt: bool = True,
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
            "adapt": adapt,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:  # noqa: ARG002 (the base's)
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def _measure(self, group: ParamGroup, age: int) -> Kernel:
        beta1, beta2 = group["betas"]
        return partial(
            lamb_measure,
            beta1=beta1,
            beta2=beta2,
            maximize=group["maximize"],
            **_scales(group, age),
        )

    def _kernel(self, group: ParamGroup, age: int, norms: Norms) -> Kernel:
        rate = group["lr"]
        if group["adapt"] and norms.param > 0.0 and norms.update > 0.0:
            rate *= norms.param / norms.update
        return partial(lamb_update, rate=rate, **_scales(group, age))


def _scales(group: ParamGroup, age: int) -> dict[str, Any]:
    beta1, beta2 = group["betas"]
    spread = math.sqrt(1.0 - beta2**age)
    return {
        "scale": spread / (1.0 - beta1**age),
        "eps": group["eps"] * spread,
        "weight_decay": group["weight_decay"],
    }


@kernel
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
    **scales: Any,
) -> tuple[Array, Array]:
    direction = descent_direction(xp, scratch, param, grad, weight_decay=0.0, maximize=maximize)
    follow(xp, product, exp_avg, direction, beta1)
    follow_square(xp, product, exp_avg_sq, direction, beta2)
    return param, _direction(xp, scratch, product, param, exp_avg, exp_avg_sq, **scales)


@kernel
def lamb_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,  # noqa: ARG001 (every kernel's arguments)
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    rate: float,
    **scales: Any,
) -> None:
    # Computed once more: to keep it would take as much memory as the gradient.
    step = _direction(xp, scratch, product, param, exp_avg, exp_avg_sq, **scales)
    step *= rate
    param -= step


def _direction(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    scale: float,
    eps: float,
    weight_decay: float,
) -> Array:
    xp.sqrt(exp_avg_sq, out=scratch)
    scratch += eps
    xp.divide(exp_avg, scratch, out=scratch)
    scratch *= scale
    if weight_decay:
        scratch += xp.multiply(param, weight_decay, out=product)
    return scratch
