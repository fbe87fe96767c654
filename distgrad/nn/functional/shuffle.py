"""Channels into pixels and back, and channels in another order."""

from distgrad.tensor import Tensor

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Return images r times as high and wide, whose pixels were r * r channels.

    Args:
        input: (..., C * r * r, H, W)
        upscale_factor: r

    Returns:
        (..., C, H * r, W * r).

    Raises:
        ValueError: If the shape or the factor does not fit.

    Example:
        >>> import distgrad as dg
        >>> pixel_shuffle(dg.arange(4.0).reshape(4, 1, 1), 2).tolist()
        [[[0.0, 1.0], [2.0, 3.0]]]

    Reference:
        W. Shi et al., "Real-time single image and video super-resolution using an efficient
        sub-pixel convolutional neural network", CVPR 2016.
    """
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ValueError(
            f"pixel_shuffle: the input must have shape (..., C * r * r, H, W) for the factor r, 1 "
            f"or more, got {input.shape} and r = {r}"
        )
    *around, channels, height, width = input.shape
    n, c = len(around), channels // (r * r)
    split = input.reshape(*around, c, r, r, height, width)
    woven = split.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return woven.reshape(*around, c, height * r, width * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Return images an r-th as high and wide, with r * r channels of pixels; see `pixel_shuffle`.

    Args:
        input: (..., C, H * r, W * r)
        downscale_factor: r

    Returns:
        (..., C * r * r, H, W).

    Raises:
        ValueError: If the shape or the factor does not fit.

    Example:
        >>> import distgrad as dg
        >>> pixel_unshuffle(dg.arange(4.0).reshape(1, 2, 2), 2).tolist()
        [[[0.0]], [[1.0]], [[2.0]], [[3.0]]]
    """
    r = downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-2] % r or input.shape[-1] % r:
        raise ValueError(
            f"pixel_unshuffle: the input must have shape (..., C, H * r, W * r) for the factor r, "
            f"1 or more, got {input.shape} and r = {r}"
        )
    *around, c, height, width = input.shape
    n, rows, columns = len(around), height // r, width // r
    split = input.reshape(*around, c, rows, r, columns, r)
    apart = split.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return apart.reshape(*around, c * r * r, rows, columns)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return the channels dealt out: one of each group, then the next of each.

    Args:
        input: (N, C, ...), with one axis behind the channels or more
        groups: How many groups of neighbouring channels; it divides C.

    Returns:
        The same shape.

    Raises:
        ValueError: If the shape or the number of groups does not fit.

    Example:
        >>> import distgrad as dg
        >>> channel_shuffle(dg.arange(6.0).reshape(1, 6, 1), 2).flatten().tolist()
        [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]

    Reference:
        X. Zhang et al., "ShuffleNet: an extremely efficient convolutional neural network for mobile
        devices", CVPR 2018.
    """
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise ValueError(
            "channel_shuffle: the input must have shape (N, C, ...) of 3 axes or more, and groups "
            f"divide C, got {input.shape} and groups={groups}"
        )
    n, c, *rest = input.shape
    return input.reshape(n, groups, c // groups, *rest).transpose(1, 2).reshape(input.shape)
