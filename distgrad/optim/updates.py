"""What the updates of several optimizers have in common, on one block of memory.

All work in place. ``scratch`` and ``product`` are arrays to be overwritten; `descent_direction` may
return the first, so that the others leave it alone.
"""

from distgrad.backend import Array, Namespace

__all__ = ["descend", "descent_direction", "follow", "follow_square"]


def descent_direction(
    xp: Namespace, scratch: Array, param: Array, grad: Array, *, weight_decay: float, maximize: bool
) -> Array:
    """Return the gradient of what is minimised: with the penalty's, or turned round to maximise.

    It is the gradient itself where nothing is to be done to it, else it stands in ``scratch``.
    """
    if weight_decay:
        xp.multiply(param, weight_decay, out=scratch)
        change = xp.subtract if maximize else xp.add
        return change(scratch, grad, out=scratch)
    return xp.negative(grad, out=scratch) if maximize else grad


def follow(xp: Namespace, product: Array, mean: Array, value: Array, decay: float) -> None:
    """Let a running mean follow a value: ``mean = decay * mean + (1 - decay) * value``."""
    xp.subtract(value, mean, out=product)
    product *= 1.0 - decay
    mean += product


def follow_square(xp: Namespace, product: Array, mean: Array, value: Array, decay: float) -> None:
    """Let a running mean follow the square of a value."""
    xp.multiply(value, value, out=product)
    product *= 1.0 - decay
    mean *= decay
    mean += product


def descend(param: Array, step: Array, shrink: float) -> None:
    """Subtract a step from the parameter, which decoupled weight decay shrinks first."""
    if shrink != 1.0:
        param *= shrink
    param -= step
