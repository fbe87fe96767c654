"""Convolution of signals and images with learned kernels."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import functional
from distgrad.nn.affine import Affine
from distgrad.nn.functional.conv import same_padding
from distgrad.nn.functional.sliding import IntOrPair, Sliding
from distgrad.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "Convolution"]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Convolution(Affine):
    """What the layers of convolution share: their arguments, checked and completed.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Length of the kernel along each axis.
        stride: Step from window to window.
        padding: Elements on both sides, or "valid" or "same".
        dilation: Step within a window.
        groups: Parts of the channels.
        bias: Whether a bias is added.
        padding_mode: What the padding consists of.
        dtype: Data type of the parameters.
    """

    axes: ClassVar[int]
    """How many axes the kernel slides along."""
    transposed: ClassVar[bool] = False
    """Whether the weight leads from its first axis to its second."""

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
        padding_mode: str = "zeros",
        dtype: DTypeLike = np.float32,
    ) -> None:
        slide = Sliding(type(self).__name__, self.axes)
        self._check(in_channels, out_channels, groups, padding, padding_mode)
        kernel = slide.sizes("kernel_size", kernel_size, least=1)
        channels = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (channels[0], channels[1] // groups, *kernel)
        super().__init__(shape, bias, dtype, outputs=out_channels)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel
        self.stride = slide.sizes("stride", stride, least=1)
        self.padding: Any = padding
        if not isinstance(padding, str):
            self.padding = slide.sizes("padding", padding, least=0)
        self.dilation = slide.sizes("dilation", dilation, least=1)
        self.output_padding = (0,) * self.axes
        self.groups = groups
        self.padding_mode = padding_mode
        if padding == "same" and self.stride != (1,) * self.axes:
            raise ValueError(
                f'{slide.function}: padding="same" needs stride 1, got {self.stride}; give the '
                "padding in numbers"
            )

    def _check(
        self,
        in_channels: int,
        out_channels: int,
        groups: int,
        padding: IntOrPair | str,
        padding_mode: str,
    ) -> None:
        name = type(self).__name__
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: groups must divide in_channels and out_channels, got {groups} for "
                f"{in_channels} and {out_channels}"
            )
        if isinstance(padding, str) and (self.transposed or padding not in ("valid", "same")):
            words = "" if self.transposed else ', "valid" or "same"'
            raise ValueError(f"{name}: padding must be numbers{words}, got {padding!r}")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"{name}: padding_mode must be one of {_PADDING_MODES}, got {padding_mode!r}"
            )

    def _padded(self, input: Tensor) -> tuple[Tensor, Any]:
        """Return the input with the copies that the mode asks for, and the zeros still to add."""
        if self.padding_mode == "zeros" or self.padding == "valid":
            return input, self.padding
        if isinstance(self.padding, str):
            pairs = list(map(same_padding, self.kernel_size, self.dilation))
        else:
            pairs = [(number, number) for number in self.padding]
        widths = [number for pair in reversed(pairs) for number in pair]
        return functional.pad(input, widths, self.padding_mode), 0

    def extra_repr(self) -> str:
        """Return the sizes, and what differs from its default."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            if getattr(self, name) != (usual,) * self.axes:
                text += f", {name}={getattr(self, name)}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class Conv1d(Convolution):
    """The cross-correlation of signals with a weight, plus a bias for each output channel.

    Weight and bias begin uniform in +-1/sqrt(in_channels / groups * kernel_size), as in PyTorch.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Length of the kernel.
        stride: Step from window to window. Default: 1.
        padding: Elements on both sides, or "valid" for none, or "same" for an output of the input's
            length. Default: 0.
        dilation: Step within a window. Default: 1.
        groups: The g-th part of the input's channels meets the g-th part of the output's; it
            divides both numbers. Default: 1.
        bias: Whether a bias is added. Default: True.
        padding_mode: "zeros", or copies of elements: "reflect", "replicate" or "circular", as in
            `functional.pad`. Default: "zeros".
        dtype: Data type of the parameters. Default: float32.

    Raises:
        ValueError: If the arguments do not fit.

    Shapes:
        weight ``[out_channels, in_channels / groups, kernel_size]``, bias [out_channels];
        input [N, in_channels, L] or [in_channels, L], output [N, out_channels, L'] or
        [out_channels, L'], as in `functional.conv1d`.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.Conv1d(3, 8, 5, stride=2)
        >>> layer
        Conv1d(3, 8, kernel_size=(5,), stride=(2,))
        >>> layer(dg.ones(4, 3, 28)).shape
        (4, 8, 12)
    """

    axes = 1

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolution of ``input``."""
        input, zeros = self._padded(input)
        return functional.conv1d(
            input, self.weight, self.bias, self.stride, zeros, self.dilation, self.groups
        )


class Conv2d(Convolution):
    """The cross-correlation of images with a weight, plus a bias for each output channel.

    Weight and bias begin uniform in +-1/sqrt(in_channels / groups * kernel area), as in PyTorch.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel; one number, or (rows, columns).
        stride: Step from window to window. Default: 1.
        padding: Elements on both sides, or "valid" for none, or "same" for an output of the input's
            size. Default: 0.
        dilation: Step within a window. Default: 1.
        groups: The g-th part of the input's channels meets the g-th part of the output's; it
            divides both numbers. Default: 1.
        bias: Whether a bias is added. Default: True.
        padding_mode: "zeros", or copies of elements: "reflect", "replicate" or "circular", as in
            `functional.pad`. Default: "zeros".
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

    axes = 2

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolution of ``input``."""
        input, zeros = self._padded(input)
        return functional.conv2d(
            input, self.weight, self.bias, self.stride, zeros, self.dilation, self.groups
        )
