"""`Adam` and `AdamW`: steps scaled by running means of the gradient and of its square."""

import math
from functools import partial
from typing import ClassVar

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import kernel
from distgrad.optim.checks import require_betas, require_non_negative, require_rate
from distgrad.optim.elementwise import ElementwiseOptimizer
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descend, descent_direction, follow, follow_square

__all__ = ["Adam", "AdamW"]


class Adam(ElementwiseOptimizer):
    """Adam: ``p -= lr * m / (sqrt(v) + eps)``, m and v the unbiased means of g and g * g.

    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 1e-3.
        betas: Decay per step of the means of g and of g * g, each below 1. Default: (0.9, 0.999).
        eps: Keeps the denominator from zero. Default: 1e-8.
        weight_decay: Factor of the penalty's gradient ``p``, which is added to ``g``. Default: 0.
        amsgrad: Divide by the largest v so far; S. J. Reddi et al., "On the convergence of Adam and
            beyond", ICLR 2018.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([1.0, -2.0]))
        >>> optimizer = dg.optim.Adam([p], lr=0.5)
        >>> (p * p).sum().backward()
        >>> optimizer.step()  # the first step is lr along the sign of the gradient
        >>> p
        Parameter containing:
        tensor([ 0.5000, -1.5000], requires_grad=True)
    """

    _decoupled: ClassVar[bool] = False
    """Whether the weight decay acts on the parameter itself and not through the gradient."""

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
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
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:
        moments = {"exp_avg": 0.0, "exp_avg_sq": 0.0}
        return {**moments, "max_exp_avg_sq": 0.0} if group["amsgrad"] else moments

    def _kernel(self, group: ParamGroup, age: int) -> Kernel:
        beta1, beta2 = group["betas"]
        # sqrt(v / correction) + eps is (sqrt(v) + eps * spread) / spread: two numbers for a block
        # take the place of a division of every element.
        spread = math.sqrt(1.0 - beta2**age)
        decay = group["weight_decay"]
        return partial(
            adam_update,
            beta1=beta1,
            beta2=beta2,
            step_size=group["lr"] * spread / (1.0 - beta1**age),
            eps=group["eps"] * spread,
            shrink=1.0 - group["lr"] * decay if self._decoupled else 1.0,
            weight_decay=0.0 if self._decoupled else decay,
            maximize=group["maximize"],
        )


class AdamW(Adam):
    """Adam with decoupled weight decay: the parameter shrinks by ``lr * weight_decay`` each step.

    I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 1e-3.
        betas: Decay per step of the means of g and of g * g, each below 1. Default: (0.9, 0.999).
        eps: Keeps the denominator from zero. Default: 1e-8.
        weight_decay: How much a parameter shrinks, before ``lr``. Default: 1e-2.
        amsgrad: Divide by the largest v so far, as in `Adam`.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([1.0]))
        >>> optimizer = dg.optim.AdamW([p], lr=0.5, weight_decay=0.1)
        >>> p.grad = dg.zeros(1)
        >>> optimizer.step()
        >>> p
        Parameter containing:
        tensor([0.9500], requires_grad=True)
    """

    _decoupled: ClassVar[bool] = True

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


@kernel
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
) -> None:
    direction = descent_direction(
        xp, scratch, param, grad, weight_decay=weight_decay, maximize=maximize
    )
    follow(xp, product, exp_avg, direction, beta1)
    follow_square(xp, product, exp_avg_sq, direction, beta2)
    second = exp_avg_sq
    if max_exp_avg_sq is not None:
        second = xp.maximum(max_exp_avg_sq, exp_avg_sq, out=max_exp_avg_sq)
    xp.sqrt(second, out=product)
    product += eps
    xp.divide(exp_avg, product, out=product)
    product *= step_size
    descend(param, product, shrink)
