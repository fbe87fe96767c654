"""`Lion`: steps along the sign of a momentum."""

from functools import partial
from typing import ClassVar

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import kernel
from distgrad.optim.checks import require_betas, require_non_negative, require_rate
from distgrad.optim.elementwise import ElementwiseOptimizer
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descend

__all__ = ["Lion"]


class Lion(ElementwiseOptimizer):
    """Lion: ``p -= lr * (sign(beta1 * m + (1 - beta1) * g) + weight_decay * p)``.

    Then ``m = beta2 * m + (1 - beta2) * g``. X. Chen et al., "Symbolic discovery of optimization
    algorithms", NeurIPS 2023, algorithm 2. Each element moves by ``lr``, so a learning rate 3 to 10
    times smaller than that of `AdamW` is usual, with a weight decay as many times larger.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 1e-4.
        betas: Share of m in the step, and its decay per step, each below 1. Default: (0.9, 0.99).
        weight_decay: How much a parameter shrinks, before ``lr``. Default: 0.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([1.0, -2.0]))
        >>> optimizer = dg.optim.Lion([p], lr=0.25)
        >>> (p * p).sum().backward()
        >>> optimizer.step()
        >>> p.tolist()
        [0.75, -1.75]
    """

    _counts_steps: ClassVar[bool] = False

    def __init__(
        self,
        params: Params,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        require_rate(lr)
        require_betas(betas)
        require_non_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:  # noqa: ARG002 (the base's)
        return {"exp_avg": 0.0}

    def _kernel(self, group: ParamGroup, age: int) -> Kernel:  # noqa: ARG002 (the base's)
        beta1, beta2 = group["betas"]
        sign = -1.0 if group["maximize"] else 1.0
        return partial(
            lion_update,
            beta1=beta1,
            beta2=beta2,
            now=sign * (1.0 - beta1),
            later=sign * (1.0 - beta2),
            lr=group["lr"],
            shrink=1.0 - group["lr"] * group["weight_decay"],
        )


@kernel
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
) -> None:
    step = xp.multiply(exp_avg, beta1, out=product)
    step += xp.multiply(grad, now, out=scratch)
    xp.sign(step, out=step)
    step *= lr
    exp_avg *= beta2
    exp_avg += xp.multiply(grad, later, out=scratch)
    descend(param, step, shrink)
