"""`Unfold` and `Fold`: what the windows over an image see, as columns, and back."""

from distgrad.nn import functional
from distgrad.nn.functional.sliding import IntOrPair
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["Fold", "Unfold"]


class Unfold(Module):
    """A column for each window over an image: what it sees, channel by channel.

    Args:
        kernel_size: Height and width of the window; one number, or (rows, columns).
        dilation: Step within a window. Default: 1.
        padding: Zeros on both sides. Default: 0.
        stride: Step from window to window. Default: 1.

    Shapes:
        input [N, C, H, W] or [C, H, W], output ``[N, C * kH * kW, P]`` or ``[C * kH * kW, P]``
        for P windows.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Unfold(2)(dg.arange(9.0).reshape(1, 3, 3)).tolist()[0]
        [0.0, 1.0, 3.0, 4.0]
    """

    def __init__(
        self,
        kernel_size: IntOrPair,
        dilation: IntOrPair = 1,
        padding: IntOrPair = 0,
        stride: IntOrPair = 1,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Return the columns."""
        return functional.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """Return the window."""
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Module):
    """Images with each column added where its window lies; the transpose of `Unfold`.

    Args:
        output_size: Height and width of the images; one number, or (rows, columns).
        kernel_size: Height and width of the window.
        dilation: Step within a window. Default: 1.
        padding: How far windows stand out on both sides. Default: 0.
        stride: Step from window to window. Default: 1.

    Shapes:
        input ``[N, C * kH * kW, P]`` or ``[C * kH * kW, P]`` for P windows,
        output ``[N, C, *output_size]`` or ``[C, *output_size]``.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Fold(3, 2)(dg.ones(4, 4)).tolist()
        [[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]
    """

    def __init__(
        self,
        output_size: IntOrPair,
        kernel_size: IntOrPair,
        dilation: IntOrPair = 1,
        padding: IntOrPair = 0,
        stride: IntOrPair = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Return the images."""
        return functional.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        """Return the size and the window."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )
