"""`Conv2d`: convolution of images with learned kernels."""

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import functional
from distgrad.nn.affine import Affine
from distgrad.nn.functional.sliding import IntOrPair, as_pair
from distgrad.tensor import Tensor

__all__ = ["Conv2d"]


class Conv2d(Affine):
    """The cross-correlation of images with a weight, plus a bias for each output channel.

    Weight and bias begin uniform in +-1/sqrt(in_channels / groups * kernel area), as in PyTorch.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel; one number, or (rows, columns).
        stride: Step from window to window. Default: 1.
        padding: Zeros on both sides, or "valid" for none, or "same" for an output of the input's
            size. Default: 0.
        dilation: Step within a window. Default: 1.
        groups: The g-th part of the input's channels meets the g-th part of the output's; it
            divides both numbers. Default: 1.
        bias: Whether a bias is added. Default: True.
        dtype: Data type of the parameters. Default: float32.

    Raises:
        ValueError: If the arguments do not fit.

    Shapes:
        weight ``[out_channels, in_channels / groups, *kernel_size]``, bias [out_channels];
        input [N, in_channels, H, W] or [in_channels, H, W],
        output [N, out_channels, H', W'] or [out_channels, H', W'], as in `functional.conv2d`.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.Conv2d(3, 8, 5, stride=2)
        >>> layer
        Conv2d(3, 8, kernel_size=(5, 5), stride=(2, 2))
        >>> layer(dg.ones(4, 3, 28, 28)).shape
        (4, 8, 12, 12)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: IntOrPair | str = 0,
        dilation: IntOrPair = 1,
        groups: int = 1,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"Conv2d: groups must divide in_channels and out_channels, got {groups} for "
                f"{in_channels} and {out_channels}"
            )
        kernel_size = as_pair("Conv2d", "kernel_size", kernel_size, least=1)
        super().__init__((out_channels, in_channels // groups, *kernel_size), bias, dtype)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = as_pair("Conv2d", "stride", stride, least=1)
        self.padding: IntOrPair | str = (
            padding if isinstance(padding, str) else as_pair("Conv2d", "padding", padding, least=0)
        )
        self.dilation = as_pair("Conv2d", "dilation", dilation, least=1)
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolution of ``input``."""
        return functional.conv2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )

    def extra_repr(self) -> str:
        """Return the sizes, and what differs from its default."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        return text if self.bias is not None else f"{text}, bias=False"
