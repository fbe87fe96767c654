"""`RMSprop`: steps scaled by a running mean of the squared gradient."""

from functools import partial

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import kernel
from distgrad.optim.checks import require_non_negative, require_rate
from distgrad.optim.elementwise import ElementwiseOptimizer
from distgrad.optim.optimizer import ParamGroup, Params
from distgrad.optim.plan import Kernel
from distgrad.optim.updates import descent_direction, follow, follow_square

__all__ = ["RMSprop"]


class RMSprop(ElementwiseOptimizer):
    """RMSprop: ``p -= lr * g / (sqrt(v) + eps)``, v the running mean of g * g.

    With momentum the quotients add up in a velocity, as the gradients do in `SGD`. T. Tieleman,
    G. Hinton, "Lecture 6.5: rmsprop", COURSERA: Neural Networks for Machine Learning, 2012.

    Args:
        params: Tensors, (name, Tensor) pairs, or groups; see `Optimizer`.
        lr: Learning rate. Default: 1e-2.
        alpha: Decay per step of the running means. Default: 0.99.
        eps: Keeps the denominator from zero. Default: 1e-8.
        weight_decay: Factor of the penalty's gradient ``p``, which is added to ``g``. Default: 0.
        momentum: Share of the last step that is kept. Default: 0.
        centered: Take the variance in place of the mean square; A. Graves, "Generating sequences
            with recurrent neural networks", 2013.
        maximize: Ascend instead.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.tensor([1.0, -2.0]))
        >>> optimizer = dg.optim.RMSprop([p], lr=0.5, alpha=0.75)
        >>> (p * p).sum().backward()
        >>> optimizer.step()  # the first step is lr / sqrt(1 - alpha) along the gradient's sign
        >>> p.tolist()
        [0.0, -1.0]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        require_rate(lr)
        require_non_negative(eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _arrays(self, group: ParamGroup) -> dict[str, float]:
        arrays = {"square_avg": 0.0}
        if group["centered"]:
            arrays["grad_avg"] = 0.0
        if group["momentum"]:
            arrays["momentum_buffer"] = 0.0
        return arrays

    def _kernel(self, group: ParamGroup, age: int) -> Kernel:  # noqa: ARG002 (the base's)
        options = ("lr", "alpha", "eps", "weight_decay", "momentum", "centered", "maximize")
        return partial(rmsprop_update, **{name: group[name] for name in options})


@kernel
def rmsprop_update(
    xp: Namespace,
    scratch: Array,
    product: Array,
    param: Array,
    grad: Array,
    square_avg: Array,
    *others: Array,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
    maximize: bool,
) -> None:
    direction = descent_direction(
        xp, scratch, param, grad, weight_decay=weight_decay, maximize=maximize
    )
    follow_square(xp, product, square_avg, direction, alpha)
    if centered:
        grad_avg = others[0]
        follow(xp, product, grad_avg, direction, alpha)
        xp.multiply(grad_avg, grad_avg, out=product)
        xp.subtract(square_avg, product, out=product)
        xp.maximum(product, 0.0, out=product)  # a variance; rounding may bring it below 0
        xp.sqrt(product, out=product)
    else:
        xp.sqrt(square_avg, out=product)
    product += eps
    step = xp.divide(direction, product, out=product)
    if momentum:
        buffer = others[-1]
        buffer *= momentum
        buffer += step
        step = xp.multiply(buffer, lr, out=product)
    else:
        step *= lr
    param -= step
