"""`Adagrad`: steps scaled by all gradients so far."""

from functools import partial

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import kernel
from distgrad.optim.checks import require_non_negative, require_rate
from distgrad.optim.elementwise import ElementwiseOptimizer
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descent_direction

__all__ = ["Adagrad"]


class Adagrad(ElementwiseOptimizer):
    """Adaptive subgradient descent: ``p -= rate * g / (sqrt(sum of g * g) + eps)``.

    The rate of step t is ``lr / (1 + (t - 1) * lr_decay)``. J. Duchi, E. Hazan, Y. Singer,
    "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 12 (2011).

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 1e-2.
        lr_decay: Decay of the learning rate with the steps. Default: 0.
        weight_decay: Factor of the penalty's gradient ``p``, which is added to ``g``. Default: 0.
        initial_accumulator_value: What the sum begins with. Default: 0.
        eps: Keeps the denominator from zero. Default: 1e-10.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([1.0, -2.0]))
        >>> optimizer = dg.optim.Adagrad([p], lr=0.5)
        >>> (p * p).sum().backward()
        >>> optimizer.step()  # the first step is lr along the sign of the gradient
        >>> p.tolist()
        [0.5, -1.5]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        require_rate(lr)
        require_non_negative(
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:
        return {"sum": group["initial_accumulator_value"]}

    def _kernel(self, group: ParamGroup, age: int) -> Kernel:
        return partial(
            adagrad_update,
            rate=group["lr"] / (1.0 + (age - 1) * group["lr_decay"]),
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
        )


@kernel
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
) -> None:
    direction = descent_direction(
        xp, scratch, param, grad, weight_decay=weight_decay, maximize=maximize
    )
    total += xp.multiply(direction, direction, out=product)
    xp.sqrt(total, out=product)
    product += eps
    xp.divide(direction, product, out=product)
    product *= rate
    param -= product
