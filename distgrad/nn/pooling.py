"""Pooling layers that take the mean of each window, or a power mean."""

from distgrad.nn import functional
from distgrad.nn.functional.sliding import IntOrPair, IntOrSingle, Sliding
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["AvgPool1d", "AvgPool2d", "LPPool1d", "LPPool2d"]


class AvgPool1d(Module):
    """The mean of each window of each channel.

    Args:
        kernel_size: Length of the window.
        stride: Step from window to window. Default: the kernel size.
        padding: Zeros on both sides. Default: 0.
        ceil_mode: Whether a last window may stand out further, if it begins inside.
        count_include_pad: Whether zeros of the padding count as elements. Default: True.

    Shapes:
        input [N, C, L] or [C, L], output [N, C, L'] or [C, L'], as in `functional.avg_pool1d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.AvgPool1d(2)(dg.tensor([[1.0, 3.0, 2.0, 0.0]])).tolist()
        [[2.0, 1.0]]
    """

    def __init__(
        self,
        kernel_size: IntOrSingle,
        stride: IntOrSingle | None = None,
        padding: IntOrSingle = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        slide = Sliding(type(self).__name__, 1)
        self.kernel_size = slide.sizes("kernel_size", kernel_size, least=1)
        self.stride = slide.sizes("stride", kernel_size if stride is None else stride, least=1)
        self.padding = slide.sizes("padding", padding, least=0)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        window = self.kernel_size, self.stride, self.padding
        return functional.avg_pool1d(input, *window, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        """Return the window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


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


class _LPPool(Module):
    """What the layers of power means share."""

    def __init__(
        self,
        norm_type: float,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """The root of the sum of powers of each window of each channel.

    Args:
        norm_type: The power.
        kernel_size: Length of the window.
        stride: Step from window to window. Default: the kernel size.
        ceil_mode: Whether a last window may stand out, if it begins inside.

    Shapes:
        input [N, C, L] or [C, L], output [N, C, L'] or [C, L'], as in `functional.lp_pool1d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.LPPool1d(2, 2)(dg.tensor([[3.0, 4.0, 6.0, 8.0]])).tolist()
        [[5.0, 10.0]]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the roots."""
        return functional.lp_pool1d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool2d(_LPPool):
    """The root of the sum of powers of each window of each channel.

    Args:
        norm_type: The power.
        kernel_size: Height and width of the window; one number, or (rows, columns).
        stride: Step from window to window. Default: the kernel size.
        ceil_mode: Whether a last window may stand out, if it begins inside.

    Shapes:
        input [N, C, H, W] or [C, H, W], output [N, C, H', W'] or [C, H', W'], as in
        `functional.lp_pool2d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.LPPool2d(2, 2)(dg.ones(1, 2, 2)).tolist()
        [[[2.0]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the roots."""
        return functional.lp_pool2d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )
