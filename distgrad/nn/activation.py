"""Nonlinearities, applied to each element."""

from distgrad.nn import functional
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["ReLU", "Tanh"]


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
