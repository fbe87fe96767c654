"""Transposed convolution of signals and images with learned kernels."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import functional
from distgrad.nn.conv import Convolution
from distgrad.nn.functional.sliding import IntOrPair, Sliding
from distgrad.tensor import Tensor

__all__ = ["ConvTranspose1d", "ConvTranspose2d"]


class _TransposedConvolution(Convolution):
    """What the layers of transposed convolution share."""

    transposed: ClassVar[bool] = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: IntOrPair = 0,
        output_padding: IntOrPair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: IntOrPair = 1,
        padding_mode: str = "zeros",
        dtype: DTypeLike = np.float32,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(
                f'{type(self).__name__}: the only padding_mode is "zeros", got {padding_mode!r}; '
                "the padding of a transposed convolution takes elements away"
            )
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
        )
        slide = Sliding(type(self).__name__, self.axes)
        self.output_padding = slide.sizes("output_padding", output_padding, least=0)

    def _output_padding(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """Return how many elements more at the end give the output its size.

        Raises:
            ValueError: If it cannot have that size.
        """
        if output_size is None:
            return self.output_padding
        name, axes = type(self).__name__, self.axes
        if len(output_size) not in (axes, input.ndim):
            raise ValueError(
                f"{name}: output_size must have {axes} numbers, or {input.ndim} as the input has "
                f"axes, got {tuple(output_size)}"
            )
        wanted = tuple(output_size[-axes:])
        smallest = tuple(
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                input.shape[-axes:],
                self.stride,
                self.padding,
                self.dilation,
                self.kernel_size,
                strict=True,
            )
        )
        extra = tuple(w - s for w, s in zip(wanted, smallest, strict=True))
        if any(not 0 <= e < s for e, s in zip(extra, self.stride, strict=True)):
            raise ValueError(
                f"{name}: output_size must be {smallest} or more by less than the stride "
                f"{self.stride}, for an input of shape {input.shape}, got {wanted}"
            )
        return extra


class ConvTranspose1d(_TransposedConvolution):
    """The transpose of `Conv1d`: signals from which that layer would make the input.

    Weight and bias begin uniform in +-1/sqrt(out_channels / groups * kernel_size), as in PyTorch.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Length of the kernel.
        stride: Step of the convolution, here of the output. Default: 1.
        padding: Elements taken away on both sides of the output. Default: 0.
        output_padding: Elements more at the end. Default: 0.
        groups: The g-th part of the input's channels meets the g-th part of the output's; it
            divides both numbers. Default: 1.
        bias: Whether a bias is added. Default: True.
        dilation: Step within a window. Default: 1.
        padding_mode: "zeros", the only one there is.
        dtype: Data type of the parameters. Default: float32.

    Raises:
        ValueError: If the arguments do not fit.

    Shapes:
        weight ``[in_channels, out_channels / groups, kernel_size]``, bias [out_channels];
        input [N, in_channels, L] or [in_channels, L], output [N, out_channels, L'] or
        [out_channels, L'], as in `functional.conv_transpose1d`.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.ConvTranspose1d(8, 3, 5, stride=2)
        >>> layer
        ConvTranspose1d(8, 3, kernel_size=(5,), stride=(2,))
        >>> layer(dg.ones(4, 8, 12)).shape, layer(dg.ones(4, 8, 12), output_size=(28,)).shape
        ((4, 3, 27), (4, 3, 28))
    """

    axes = 1

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the transposed convolution of ``input``, of the given size if it can have it."""
        return functional.conv_transpose1d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )


class ConvTranspose2d(_TransposedConvolution):
    """The transpose of `Conv2d`: images from which that layer would make the input.

    Weight and bias begin uniform in +-1/sqrt(out_channels / groups * kernel area), as in PyTorch.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel; one number, or (rows, columns).
        stride: Step of the convolution, here of the output. Default: 1.
        padding: Rows and columns taken away on both sides of the output. Default: 0.
        output_padding: Rows and columns more at the end. Default: 0.
        groups: The g-th part of the input's channels meets the g-th part of the output's; it
            divides both numbers. Default: 1.
        bias: Whether a bias is added. Default: True.
        dilation: Step within a window. Default: 1.
        padding_mode: "zeros", the only one there is.
        dtype: Data type of the parameters. Default: float32.

    Raises:
        ValueError: If the arguments do not fit.

    Shapes:
        weight ``[in_channels, out_channels / groups, *kernel_size]``, bias [out_channels];
        input [N, in_channels, H, W] or [in_channels, H, W],
        output [N, out_channels, H', W'] or [out_channels, H', W'], as in
        `functional.conv_transpose2d`.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.ConvTranspose2d(8, 3, 5, stride=2)
        >>> layer
        ConvTranspose2d(8, 3, kernel_size=(5, 5), stride=(2, 2))
        >>> layer(dg.ones(4, 8, 12, 6)).shape
        (4, 3, 27, 15)
        >>> layer(dg.ones(4, 8, 12, 6), output_size=(28, 16)).shape
        (4, 3, 28, 16)
    """

    axes = 2

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the transposed convolution of ``input``, of the given size if it can have it."""
        return functional.conv_transpose2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )
