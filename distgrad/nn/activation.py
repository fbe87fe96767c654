"""Nonlinearities, applied to each element."""

from distgrad.nn import functional
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["GELU", "ReLU", "Sigmoid", "Softmax", "Tanh"]


class ReLU(Module):
    """max(0, x) of each element.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ReLU()(dg.tensor([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, with 0 in place of negative ones."""
        return functional.relu(input)


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


class Softmax(Module):
    """The exponentials over their sum along an axis.

    Args:
        dim: The axis.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Softmax(dim=0)(dg.zeros(2)).tolist()
        [0.5, 0.5]
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Return numbers that are positive and add up to 1 along the axis."""
        return functional.softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Return the argument."""
        return f"dim={self.dim}"
