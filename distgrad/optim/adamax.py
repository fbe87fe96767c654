"""`Adamax`: Adam with the largest gradient in place of the mean square."""

from functools import partial

from distgrad.backend import Array, Namespace
from distgrad.optim.checks import require_betas, require_non_negative, require_rate
from distgrad.optim.elementwise import ElementwiseOptimizer
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descent_direction, follow

__all__ = ["Adamax"]


class Adamax(ElementwiseOptimizer):
    """Adamax: ``p -= lr * m / u``, m the unbiased mean of g, ``u = max(beta2 * u, abs(g) + eps)``.

    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.1.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 2e-3.
        betas: Decay per step of the mean of g and of the largest g, each below 1. Default:
            (0.9, 0.999).
        eps: Keeps the denominator from zero. Default: 1e-8.
        weight_decay: Factor of the penalty's gradient ``p``, which is added to ``g``. Default: 0.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([1.0, -2.0]))
        >>> optimizer = dg.optim.Adamax([p], lr=0.5)
        >>> (p * p).sum().backward()
        >>> optimizer.step()  # the first step is lr along the sign of the gradient
        >>> p.tolist()
        [0.5, -1.5]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
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
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:  # noqa: ARG002 (the base's)
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def _kernel(self, group: ParamGroup, age: int) -> Kernel:
        beta1, beta2 = group["betas"]
        return partial(
            _update,
            beta1=beta1,
            beta2=beta2,
            step_size=group["lr"] / (1.0 - beta1**age),
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )


def _update(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_inf: Array,
    *,
    beta1: float,
    beta2: float,
    step_size: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    direction = descent_direction(
        xp, scratch, param, grad, weight_decay=weight_decay, maximize=maximize
    )
    follow(xp, product, exp_avg, direction, beta1)
    xp.absolute(direction, out=product)
    product += eps
    exp_inf *= beta2
    xp.maximum(exp_inf, product, out=exp_inf)
    xp.divide(exp_avg, exp_inf, out=product)
    product *= step_size
    param -= product
