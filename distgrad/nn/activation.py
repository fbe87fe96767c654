"""Smooth activations."""

from distgrad.nn import functional
from distgrad.nn.in_place import InPlace
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = [
    "GELU",
    "GLU",
    "LogSigmoid",
    "Mish",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
    "Tanhshrink",
]


class Sigmoid(Module):
    """``1 / (1 + exp(-x))`` of each element.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Sigmoid()(dg.zeros(2)).tolist()
        [0.5, 0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the sigmoid of each element."""
        return functional.sigmoid(input)


class LogSigmoid(Module):
    """``log(1 / (1 + exp(-x)))`` of each element, computed without overflow.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.LogSigmoid()(dg.tensor([-1000.0, 1000.0])).tolist()
        [-1000.0, 0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the logarithms of the sigmoids."""
        return functional.logsigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent of each element.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Tanh()(dg.zeros(2)).tolist()
        [0.0, 0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the hyperbolic tangents."""
        return functional.tanh(input)


class Tanhshrink(Module):
    """``x - tanh(x)`` of each element.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Tanhshrink()(dg.tensor([0.0, 100.0])).tolist()
        [0.0, 99.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return what the hyperbolic tangents leave."""
        return functional.tanhshrink(input)


class Softsign(Module):
    """``x / (1 + abs(x))`` of each element.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Softsign()(dg.tensor([-1.0, 3.0])).tolist()
        [-0.5, 0.75]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements between -1 and 1."""
        return functional.softsign(input)


class Softplus(Module):
    """``log(1 + exp(beta * x)) / beta`` of each element: a smooth `ReLU`.

    Args:
        beta: How sharp the bend at 0 is. Default: 1.
        threshold: Where ``beta * x`` is above it, the result is ``x``. Default: 20.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Softplus()(dg.tensor([-1000.0, 100.0])).tolist()
        [0.0, 100.0]
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Return positive numbers."""
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"beta={self.beta}, threshold={self.threshold}"


class GELU(Module):
    """Each element times the probability that a normal variable is below it.

    Args:
        approximate: "none", or "tanh" for a formula in place of the normal distribution.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.GELU()(dg.tensor([0.0, 10.0])).tolist()
        [0.0, 10.0]
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Return the weighted elements."""
        return functional.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """Return the argument."""
        return f"approximate={self.approximate!r}"


class SiLU(InPlace):
    """``x * sigmoid(x)`` of each element.

    Args:
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.SiLU()(dg.tensor([0.0, 100.0])).tolist()
        [0.0, 100.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the weighted elements."""
        return functional.silu(input, self.inplace)


class Mish(InPlace):
    """``x * tanh(softplus(x))`` of each element.

    Args:
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Mish()(dg.tensor([0.0, 100.0])).tolist()
        [0.0, 100.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the weighted elements."""
        return functional.mish(input, self.inplace)


class GLU(Module):
    """The first half along an axis times the sigmoid of the second half.

    Args:
        dim: The axis, of even length. Default: -1.

    Shapes:
        input [..., 2 * n, ...], output [..., n, ...].

    Example:
        >>> import distgrad as dg
        >>> dg.nn.GLU()(dg.tensor([4.0, 6.0, 0.0, 100.0])).tolist()
        [2.0, 6.0]
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Return the first half, gated by the second one."""
        return functional.glu(input, self.dim)

    def extra_repr(self) -> str:
        """Return the argument."""
        return f"dim={self.dim}"
