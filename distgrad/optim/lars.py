"""`LARS`: momentum SGD with a learning rate for each layer, for large batches."""

from functools import partial
from typing import ClassVar

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import kernel
from distgrad.optim.checks import require_non_negative, require_rate
from distgrad.optim.normed import NormedOptimizer, Norms
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descent_direction

__all__ = ["LARS"]


class LARS(NormedOptimizer):
    """Layer-wise adaptive rate scaling: ``v = momentum * v + lr * a * (g + weight_decay * p)``.

    Then ``p -= v``. The adaptive rate of a parameter is ``a = trust_coefficient * norm(p) /
    (norm(g) + weight_decay * norm(p))``, and 1 where one of the norms is 0. Y. You, I. Gitman,
    B. Ginsburg, "Large batch training of convolutional networks", 2017, algorithm 1: the learning
    rate stands within the velocity, other than in `SGD`.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 1.
        momentum: Share of the last step that is kept. Default: 0.9.
        weight_decay: Factor of the penalty's gradient ``p``, which is added to ``g``. Default: 0.
        trust_coefficient: How far a parameter may move, relative to its norm. Default: 1e-3.
        adapt: Whether there is an adaptive rate; False for a group, such as biases and what
            normalisations scale and shift by, makes it 1. Default: True.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([3.0, 4.0]))
        >>> optimizer = dg.optim.LARS([p], trust_coefficient=0.5)
        >>> p.grad = dg.tensor([0.0, 100.0])
        >>> optimizer.step()  # half the norm of p, whatever that of the gradient
        >>> p.tolist()
        [3.0, 1.5]
    """

    _counts_steps: ClassVar[bool] = False

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 1e-3,
        adapt: bool = True,
        *,
        maximize: bool = False,
    ) -> None:
        require_rate(lr)
        require_non_negative(
            momentum=momentum, weight_decay=weight_decay, trust_coefficient=trust_coefficient
        )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
            "adapt": adapt,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def _measure(self, group: ParamGroup, age: int) -> Kernel:  # noqa: ARG002 (the base's)
        return _param_and_gradient

    def _kernel(self, group: ParamGroup, age: int, norms: Norms) -> Kernel:  # noqa: ARG002
        decay, rate = group["weight_decay"], group["lr"]
        if group["adapt"] and norms.param > 0.0 and norms.update > 0.0:
            rate *= group["trust_coefficient"] * norms.param / (norms.update + decay * norms.param)
        return partial(
            lars_update,
            rate=rate,
            momentum=group["momentum"],
            weight_decay=decay,
            maximize=group["maximize"],
        )


def _param_and_gradient(
    xp: Namespace,  # noqa: ARG001 (every kernel's arguments)
    scratch: Array,  # noqa: ARG001
    product: Array,  # noqa: ARG001
    param: Array,
    grad: Array,
    *state: Array,  # noqa: ARG001
) -> tuple[Array, Array]:
    return param, grad


@kernel
def lars_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,
    buffer: Array | None = None,
    *,
    rate: float,
    momentum: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    direction = descent_direction(
        xp, scratch, param, grad, weight_decay=weight_decay, maximize=maximize
    )
    step = xp.multiply(direction, rate, out=product)
    if buffer is not None:
        buffer *= momentum
        buffer += step
        step = buffer
    param -= step
