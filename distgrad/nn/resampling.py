"""Layers that give signals and images another size, or move channels into pixels and back."""

from typing import Any

from distgrad.nn import functional
from distgrad.nn.functional.interpolate import Scale, Size
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = [
    "ChannelShuffle",
    "PixelShuffle",
    "PixelUnshuffle",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]


class Upsample(Module):
    """Signals, images or volumes in another size; see `functional.interpolate`.

    Args:
        size: The new lengths, one for all axes or one for each; or
        scale_factor: what the lengths are multiplied by.
        mode: "nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear" or "area".
        align_corners: In the modes between elements, whether the middles of the first and last
            elements stay where they are. Default: False.
        recompute_scale_factor: Whether the factor follows from the rounded lengths.

    Shapes:
        input [N, C, L], [N, C, H, W] or [N, C, D, H, W], output the same with new lengths.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Upsample(scale_factor=2)
        Upsample(scale_factor=2.0, mode='nearest')
        >>> dg.nn.Upsample(scale_factor=2, mode="linear")(dg.tensor([[[0.0, 2.0]]])).tolist()
        [[[0.0, 0.5, 1.5, 2.0]]]
    """

    def __init__(
        self,
        size: Size | None = None,
        scale_factor: Scale | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor: Any = scale_factor
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(float(factor) for factor in scale_factor)
        elif isinstance(scale_factor, int | float):
            self.scale_factor = float(scale_factor)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` in the new size."""
        return functional.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        """Return the size or the factor, and the mode."""
        name = "size" if self.scale_factor is None else "scale_factor"
        return f"{name}={getattr(self, name)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Images in another size, by the nearest pixels.

    Args:
        size: The new height and width; one number, or (rows, columns); or
        scale_factor: what they are multiplied by.

    Shapes:
        input [N, C, H, W], output [N, C, H', W'].

    Example:
        >>> import distgrad as dg
        >>> dg.nn.UpsamplingNearest2d(scale_factor=2)(dg.arange(2.0).reshape(1, 1, 1, 2)).tolist()
        [[[[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]]]
    """

    def __init__(self, size: Size | None = None, scale_factor: Scale | None = None) -> None:
        super().__init__(size, scale_factor)


class UpsamplingBilinear2d(Upsample):
    """Images in another size, between the pixels around; the corners stay where they are.

    Args:
        size: The new height and width; one number, or (rows, columns); or
        scale_factor: what they are multiplied by.

    Shapes:
        input [N, C, H, W], output [N, C, H', W'].

    Example:
        >>> import distgrad as dg
        >>> dg.nn.UpsamplingBilinear2d((1, 3))(dg.tensor([[[[0.0, 2.0]]]])).tolist()
        [[[[0.0, 1.0, 2.0]]]]
    """

    def __init__(self, size: Size | None = None, scale_factor: Scale | None = None) -> None:
        super().__init__(size, scale_factor, "bilinear", align_corners=True)


class PixelShuffle(Module):
    """Images r times as high and wide, whose pixels were r * r channels.

    Args:
        upscale_factor: r

    Shapes:
        input ``[..., C * r * r, H, W]``, output ``[..., C, H * r, W * r]``.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.PixelShuffle(2)(dg.arange(4.0).reshape(4, 1, 1)).tolist()
        [[[0.0, 1.0], [2.0, 3.0]]]
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Return the larger images."""
        return functional.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """Return the factor."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Images an r-th as high and wide, with r * r channels of pixels.

    Args:
        downscale_factor: r

    Shapes:
        input ``[..., C, H * r, W * r]``, output ``[..., C * r * r, H, W]``.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.PixelUnshuffle(2)(dg.arange(4.0).reshape(1, 2, 2)).tolist()
        [[[0.0]], [[1.0]], [[2.0]], [[3.0]]]
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Return the smaller images."""
        return functional.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """Return the factor."""
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """The channels dealt out: one of each group, then the next of each.

    Args:
        groups: How many groups of neighbouring channels.

    Shapes:
        input [N, C, ...], output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ChannelShuffle(2)(dg.arange(4.0).reshape(1, 4, 1)).flatten().tolist()
        [0.0, 2.0, 1.0, 3.0]
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """Return the channels in the new order."""
        return functional.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        """Return the number of groups."""
        return f"groups={self.groups}"
