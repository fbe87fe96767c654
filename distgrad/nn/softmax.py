"""The softmax and its relatives."""

from distgrad.nn import functional
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class _AlongAxis(Module):
    """What is computed along one axis."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
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

    def forward(self, input: Tensor) -> Tensor:
        """Return numbers that are positive and add up to 1 along the axis."""
        return functional.softmax(input, self.dim)


class Softmin(_AlongAxis):
    """The softmax of the negative elements along an axis.

    Args:
        dim: The axis.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Softmin(dim=0)(dg.tensor([0.0, 0.0, 1000.0])).tolist()
        [0.5, 0.5, 0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return numbers that are positive and add up to 1 along the axis."""
        return functional.softmin(input, self.dim)


class LogSoftmax(_AlongAxis):
    """The logarithm of the softmax along an axis, computed without overflow.

    Args:
        dim: The axis.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.LogSoftmax(dim=0)(dg.tensor([0.0, -1000.0])).tolist()
        [0.0, -1000.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the logarithms."""
        return functional.log_softmax(input, self.dim)


class Softmax2d(Module):
    """The softmax over the channels of an image, at each place.

    Shapes:
        input [N, C, H, W] or [C, H, W], output the same.

    Raises:
        ValueError: In a call, if the input has another number of axes.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Softmax2d()(dg.zeros(2, 1, 1)).tolist()
        [[[0.5]], [[0.5]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return numbers that are positive and add up to 1 over the channels."""
        if input.ndim not in (3, 4):
            raise ValueError(
                f"Softmax2d: the input must have shape (N, C, H, W) or (C, H, W), got {input.shape}"
            )
        return functional.softmax(input, -3)
