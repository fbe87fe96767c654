"""Smooth activations."""

from typing import Any

from distgrad import ops
from distgrad.autograd import next_generator
from distgrad.backend import to_device
from distgrad.creation import zeros_like
from distgrad.functional import log_softmax, sigmoid, softmax, tanh
from distgrad.nn.functional.checks import check_floating
from distgrad.nn.functional.in_place import replaced
from distgrad.tensor import Tensor, apply

__all__ = [
    "gelu",
    "glu",
    "gumbel_softmax",
    "log_softmax",
    "logsigmoid",
    "mish",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softsign",
    "tanh",
    "tanhshrink",
]

_FORMS = ("none", "tanh")


def softmin(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Return the softmax of ``-input`` along ``dim``; arguments and errors are those of `softmax`.

    Example:
        >>> import distgrad as dg
        >>> softmin(dg.tensor([0.0, 0.0, 1000.0]), dim=0)
        tensor([0.5000, 0.5000, 0.0000])
    """
    return softmax(-input, dim, dtype=dtype)


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
        tensor([-0.1587,  0.0000,  0.8413])

    Reference:
        D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415 (2016).
    """
    if approximate not in _FORMS:
        raise ValueError(f"gelu: approximate must be one of {_FORMS}, got {approximate!r}")
    check_floating("gelu", input)
    return apply(ops.gelu, input, approximate=approximate)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``input * sigmoid(input)``.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> silu(dg.tensor([-100.0, 0.0, 100.0]))
        tensor([ -0.,   0., 100.])
    """
    if inplace:
        return replaced(input, silu)
    check_floating("silu", input)
    return input * sigmoid(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``input * tanh(softplus(input))``.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> mish(dg.tensor([-1.0, 0.0, 100.0]))
        tensor([ -0.3034,   0.0000, 100.0000])

    Reference:
        D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.
    """
    if inplace:
        return replaced(input, mish)
    check_floating("mish", input)
    return input * softplus(input).tanh()


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return ``log(1 + exp(beta * input)) / beta``, and ``input`` where that hardly differs.

    Args:
        input: Any shape.
        beta: How sharp the bend at 0 is.
        threshold: Where ``beta * input`` is above it, the result is ``input``.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> softplus(dg.tensor([-1000.0, 0.0, 100.0]))
        tensor([  0.0000,   0.6931, 100.0000])
    """
    check_floating("softplus", input)
    return apply(ops.softplus, input, beta=beta, threshold=threshold)


def logsigmoid(input: Tensor) -> Tensor:
    """Return ``log(sigmoid(input))``, computed without overflow.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> logsigmoid(dg.tensor([-1000.0, 0.0]))
        tensor([-1.0000e+03, -6.9315e-01])
    """
    check_floating("logsigmoid", input)
    return apply(ops.log_sigmoid, input)


def softsign(input: Tensor) -> Tensor:
    """Return ``input / (1 + abs(input))``.

    Example:
        >>> import distgrad as dg
        >>> softsign(dg.tensor([-1.0, 0.0, 3.0]))
        tensor([-0.5000,  0.0000,  0.7500])
    """
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """Return ``input - tanh(input)``.

    Example:
        >>> import distgrad as dg
        >>> tanhshrink(dg.tensor([0.0, 100.0]))
        tensor([ 0., 99.])
    """
    return input - input.tanh()


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return the first half along ``dim`` times the sigmoid of the second half.

    Raises:
        RuntimeError: If the axis has no halves of equal length, or ``input`` has no axis.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> glu(dg.tensor([4.0, 6.0, 0.0, 100.0]))
        tensor([2., 6.])

    Reference:
        Y. N. Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017.
    """
    check_floating("glu", input)
    if not input.ndim or input.shape[input._axis(dim)] % 2:
        raise RuntimeError(
            f"glu: dim {dim} must have an even length, got an input of shape {input.shape}"
        )
    half = input.shape[dim] // 2
    first, second = input.split([half, half], dim)
    return first * sigmoid(second)


def gumbel_softmax(
    logits: Tensor, tau: float = 1.0, hard: bool = False, *, dim: int = -1
) -> Tensor:
    """Draw from the classes along ``dim``, differentiably: the softmax of logits with noise.

    Args:
        logits: Log probabilities of classes, up to a constant.
        tau: The temperature; the lower, the nearer the result is to one-hot vectors.
        hard: Return one-hot vectors, with the gradient of the softmax. Default: False.
        dim: The axis of the classes.

    Raises:
        TypeError: If the logits are not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> gumbel_softmax(dg.tensor([0.0, 1000.0]), hard=True)
        tensor([0., 1.])

    Reference:
        E. Jang, S. Gu, B. Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017.
    """
    check_floating("gumbel_softmax", logits)
    noise = next_generator().gumbel(size=logits.shape).astype(logits.dtype)
    soft = softmax((logits + to_device(noise, logits.device)) / tau, dim)
    if not hard:
        return soft
    chosen = zeros_like(soft).scatter(dim, soft.detach().argmax(dim, keepdim=True), 1.0)
    return chosen + (soft - soft.detach())
