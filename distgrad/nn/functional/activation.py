"""Activations."""

from distgrad import ops
from distgrad.functional import relu, tanh
from distgrad.nn.functional.checks import check_floating
from distgrad.tensor import Tensor, apply

__all__ = ["log_softmax", "relu", "tanh"]


def log_softmax(input: Tensor, dim: int) -> Tensor:
    """Return the logarithms of the softmax along ``dim``, computed without overflow.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> log_softmax(dg.tensor([0.0, 1000.0]), dim=0)
        tensor([-1000.,     0.])
    """
    check_floating("log_softmax", input)
    return apply(ops.log_softmax, input, axis=dim)
