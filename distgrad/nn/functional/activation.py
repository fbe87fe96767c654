"""Activations."""

from distgrad import ops
from distgrad.functional import relu, sigmoid, softmax, tanh
from distgrad.nn.functional.checks import check_floating
from distgrad.tensor import Tensor, apply

__all__ = ["gelu", "log_softmax", "relu", "sigmoid", "silu", "softmax", "tanh"]

_FORMS = ("none", "tanh")


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


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """Return ``input`` times the probability that a normal variable is below it.

    Args:
        input: Any shape.
        approximate: "none" for the normal distribution function itself, "tanh" for
            ``(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2`` in its place.

    Raises:
        ValueError: If ``approximate`` is neither.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> gelu(dg.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.1587,  0.    ,  0.8413])

    Reference:
        D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415 (2016).
    """
    if approximate not in _FORMS:
        raise ValueError(f"gelu: approximate must be one of {_FORMS}, got {approximate!r}")
    check_floating("gelu", input)
    return apply(ops.gelu, input, approximate=approximate)


def silu(input: Tensor) -> Tensor:
    """Return ``input * sigmoid(input)``.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> silu(dg.tensor([-100.0, 0.0, 100.0]))
        tensor([ -0.,   0., 100.])
    """
    check_floating("silu", input)
    return input * sigmoid(input)
