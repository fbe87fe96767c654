"""`SGD`: stochastic gradient descent, with momentum."""

from functools import partial
from typing import ClassVar

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import kernel
from distgrad.optim.checks import require_non_negative, require_rate
from distgrad.optim.elementwise import ElementwiseOptimizer
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descent_direction

__all__ = ["SGD"]


class SGD(ElementwiseOptimizer):
    """Stochastic gradient descent: ``p -= lr * v`` with ``v = momentum * v + (1 - dampening) * g``.

    At the first update of a parameter ``v`` is ``g``; with Nesterov's momentum the step is along
    ``g + momentum * v``. I. Sutskever et al., "On the importance of initialization and momentum in
    deep learning", ICML 2013, with the learning rate outside ``v`` as in PyTorch.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 1e-3.
        momentum: Share of the last step that is kept. Default: 0.
        dampening: Share of the gradient that is left out of ``v``. Default: 0.
        weight_decay: Factor of the penalty's gradient ``p``, which is added to ``g``. Default: 0.
        nesterov: Nesterov's momentum.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([1.0, 2.0]))
        >>> optimizer = dg.optim.SGD([p], lr=0.5)
        >>> (p * p).sum().backward()
        >>> optimizer.step()
        >>> p.tolist()
        [0.0, 0.0]
    """

    _counts_steps: ClassVar[bool] = False

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        require_rate(lr)
        require_non_negative(momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0.0 or dampening != 0.0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def _kernel(self, group: ParamGroup, age: int) -> Kernel:
        return partial(
            sgd_update,
            lr=group["lr"],
            momentum=group["momentum"],
            # The buffer begins as the whole gradient, whatever the dampening.
            gain=1.0 if age == 1 else 1.0 - group["dampening"],
            weight_decay=group["weight_decay"],
            nesterov=group["nesterov"],
            maximize=group["maximize"],
        )


@kernel
def sgd_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
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
) -> None:
    direction = descent_direction(
        xp, scratch, param, grad, weight_decay=weight_decay, maximize=maximize
    )
    if buffer is not None:
        buffer *= momentum
        buffer += direction if gain == 1.0 else xp.multiply(direction, gain, out=product)
        if nesterov:
            xp.multiply(buffer, momentum, out=product)
            direction = xp.add(direction, product, out=product)
        else:
            direction = buffer
    param -= xp.multiply(direction, lr, out=product)
