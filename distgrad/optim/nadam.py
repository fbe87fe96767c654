"""`NAdam`: Adam with Nesterov's momentum."""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.optim.checks import require_betas, require_non_negative, require_rate
from distgrad.optim.elementwise import ElementwiseOptimizer
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descend, descent_direction, follow, follow_square
from distgrad.tensor import Tensor

__all__ = ["NAdam"]


class _Age(NamedTuple):
    step: int
    mu_product: float
    """The product of the momenta of all steps, this one included."""


class NAdam(ElementwiseOptimizer):
    """Adam whose step looks ahead: along ``mu' * m / (1 - M * mu') + (1 - mu) * g / (1 - M)``.

    The momentum of step t is ``mu = beta1 * (1 - 0.96 ** (t * momentum_decay) / 2)``, mu' is that
    of the next one, and M the product of all so far, kept in float32 as PyTorch keeps it. T. Dozat,
    "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 2e-3.
        betas: Decay per step of the means of g and of g * g, each below 1. Default: (0.9, 0.999).
        eps: Keeps the denominator from zero. Default: 1e-8.
        weight_decay: Factor of the penalty's gradient ``p``, which is added to ``g``. Default: 0.
        momentum_decay: How fast the momentum rises to ``betas[0]``. Default: 4e-3.
        decoupled_weight_decay: Let the parameter shrink by ``lr * weight_decay`` instead, as in
            `AdamW`.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([1.0, -2.0]))
        >>> optimizer = dg.optim.NAdam([p], lr=0.5)
        >>> (p * p).sum().backward()
        >>> optimizer.step()
        >>> sorted(optimizer.state[p])
        ['exp_avg', 'exp_avg_sq', 'mu_product', 'step']
    """

    _numbers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"step": int, "mu_product": float}

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        require_rate(lr)
        require_betas(betas)
        require_non_negative(eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:  # noqa: ARG002 (the base's)
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def _age(self, parameter: Tensor, group: ParamGroup, names: Iterable[str]) -> _Age:
        step = super()._age(parameter, group, names)
        product = self.state[parameter].get("mu_product", 1.0)
        return _Age(step, float(np.float32(product) * np.float32(_momentum(group, step))))

    def _record(self, state: dict[str, Any], age: _Age) -> None:
        state.update(age._asdict())

    def _kernel(self, group: ParamGroup, age: _Age) -> Kernel:
        beta1, beta2 = group["betas"]
        now, later = _momentum(group, age.step), _momentum(group, age.step + 1)
        spread = math.sqrt(1.0 - beta2**age.step)
        rate, decay = group["lr"] * spread, group["weight_decay"]
        decoupled = group["decoupled_weight_decay"]
        return partial(
            _update,
            beta1=beta1,
            beta2=beta2,
            of_gradient=rate * (1.0 - now) / (1.0 - age.mu_product),
            of_mean=rate * later / (1.0 - age.mu_product * later),
            eps=group["eps"] * spread,
            shrink=1.0 - group["lr"] * decay if decoupled else 1.0,
            weight_decay=0.0 if decoupled else decay,
            maximize=group["maximize"],
        )


def _momentum(group: ParamGroup, step: int) -> float:
    beta1, _ = group["betas"]
    return float(beta1 * (1.0 - 0.5 * 0.96 ** (step * group["momentum_decay"])))


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
    of_gradient: float,
    of_mean: float,
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
    step = xp.multiply(direction, of_gradient, out=scratch)
    step += xp.multiply(exp_avg, of_mean, out=product)
    xp.sqrt(exp_avg_sq, out=product)
    product += eps
    step /= product
    descend(param, step, shrink)
