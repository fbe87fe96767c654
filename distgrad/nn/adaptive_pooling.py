"""Pooling layers whose output has a given size, whatever that of the input."""

from typing import Any

from distgrad.nn import functional
from distgrad.nn.functional.adaptive_pool import OutputSize
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d"]


class _AdaptiveAvgPool(Module):
    """What the layers of means share."""

    def __init__(self, output_size: OutputSize) -> None:
        super().__init__()
        self.output_size: Any = output_size

    def extra_repr(self) -> str:
        """Return the size."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of bins of each channel.

    Args:
        output_size: How many bins.

    Shapes:
        input [N, C, L] or [C, L], output [N, C, output_size] or [C, output_size], as in
        `functional.adaptive_avg_pool1d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.AdaptiveAvgPool1d(2)(dg.arange(5.0).reshape(1, 5)).tolist()
        [[1.0, 3.0]]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return functional.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of bins of each channel.

    Args:
        output_size: How many rows and columns of bins; one number, or (rows, columns), where None
            keeps as many as there are.

    Shapes:
        input [N, C, H, W] or [C, H, W], output ``[N, C, *output_size]`` or
        ``[C, *output_size]``, as in `functional.adaptive_avg_pool2d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.AdaptiveAvgPool2d(1)(dg.arange(4.0).reshape(1, 2, 2)).tolist()
        [[[1.5]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return functional.adaptive_avg_pool2d(input, self.output_size)


class _AdaptiveMaxPool(Module):
    """What the layers of largest elements share."""

    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size: Any = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        """Return the size."""
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest elements of bins of each channel.

    Args:
        output_size: How many bins.
        return_indices: Whether a second tensor says where each element lies. Default: False.

    Shapes:
        input [N, C, L] or [C, L], output [N, C, output_size] or [C, output_size], as in
        `functional.adaptive_max_pool1d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.AdaptiveMaxPool1d(2)(dg.tensor([[3.0, 1.0, 2.0]])).tolist()
        [[3.0, 2.0]]
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and their places where these are asked for."""
        return functional.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest elements of bins of each channel.

    Args:
        output_size: How many rows and columns of bins; one number, or (rows, columns), where None
            keeps as many as there are.
        return_indices: Whether a second tensor says where each element lies. Default: False.

    Shapes:
        input [N, C, H, W] or [C, H, W], output ``[N, C, *output_size]`` or
        ``[C, *output_size]``, as in `functional.adaptive_max_pool2d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.AdaptiveMaxPool2d(1)(dg.arange(4.0).reshape(1, 2, 2)).tolist()
        [[[3.0]]]
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and their places where these are asked for."""
        return functional.adaptive_max_pool2d(input, self.output_size, self.return_indices)
