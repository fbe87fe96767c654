"""Pooling layers: each output is the largest element of a window, or the mean."""

from distgrad.nn import functional
from distgrad.nn.functional.sliding import IntOrPair
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["AvgPool2d", "MaxPool2d"]


class MaxPool2d(Module):
    """The largest element of each window of each channel.

    Args:
        kernel_size: Height and width of the window; one number, or (rows, columns).
        stride: Step from window to window. Default: the kernel size.
        padding: How far windows stand out on both sides. Default: 0.
        dilation: Step within a window. Default: 1.
        ceil_mode: Whether a last window may stand out further, if it begins inside.

    Shapes:
        input [N, C, H, W] or [C, H, W], output [N, C, H', W'] or [C, H', W'], as in
        `functional.max_pool2d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.MaxPool2d(2)(dg.arange(16.0).reshape(1, 4, 4)).tolist()
        [[[5.0, 7.0], [13.0, 15.0]]]
    """

    def __init__(
        self,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        padding: IntOrPair = 0,
        dilation: IntOrPair = 1,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """Return the largest elements."""
        return functional.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        )

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """The mean of each window of each channel.

    Args:
        kernel_size: Height and width of the window; one number, or (rows, columns).
        stride: Step from window to window. Default: the kernel size.
        padding: Zeros on both sides. Default: 0.
        ceil_mode: Whether a last window may stand out further, if it begins inside.
        count_include_pad: Whether zeros of the padding count as elements. Default: True.
        divisor_override: Divide the sums by this number instead.

    Shapes:
        input [N, C, H, W] or [C, H, W], output [N, C, H', W'] or [C, H', W'], as in
        `functional.avg_pool2d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.AvgPool2d(2)(dg.arange(16.0).reshape(1, 4, 4)).tolist()
        [[[2.5, 4.5], [10.5, 12.5]]]
    """

    def __init__(
        self,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        padding: IntOrPair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return functional.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        """Return the window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
