"""What the windows over an image see, as columns, and back."""

from distgrad import ops
from distgrad.nn.functional.sliding import IntOrPair, Pair, Sliding
from distgrad.ops.window import Window
from distgrad.tensor import Tensor, apply

__all__ = ["fold", "unfold"]


def unfold(
    input: Tensor,
    kernel_size: IntOrPair,
    dilation: IntOrPair = 1,
    padding: IntOrPair = 0,
    stride: IntOrPair = 1,
) -> Tensor:
    """Return a column for each window: what it sees, channel by channel.

    Args:
        input: (N, C, H, W) or (C, H, W)
        kernel_size: Height and width of the window; one number, or (rows, columns).
        dilation: Step within a window. Default: 1.
        padding: Zeros on both sides. Default: 0.
        stride: Step from window to window. Default: 1.

    Returns:
        (N, C * kH * kW, P) or (C * kH * kW, P) for P windows, row by row.

    Raises:
        ValueError: If shapes or arguments do not fit.

    Example:
        >>> import distgrad as dg
        >>> unfold(dg.arange(9.0).reshape(1, 3, 3), 2).tolist()[0]
        [0.0, 1.0, 3.0, 4.0]
    """
    slide = Sliding("unfold", 2)
    slide.check_shape(input, filled=True)
    window, paddings = _window(slide, input.shape[-2:], kernel_size, dilation, padding, stride)
    (kh, kw), (dh, dw), (sh, sw) = window.kernel, window.dilation, window.stride

    def run(images: Tensor) -> Tensor:
        if any(paddings):
            widths = ((0, 0), (0, 0), *((p, p) for p in paddings))
            images = apply(ops.pad, images, pad_width=widths)
        rows = apply(ops.unfold, images, axis=2, size=kh, step=sh, dilation=dh)
        seen = apply(ops.unfold, rows, axis=3, size=kw, step=sw, dilation=dw)
        n, c, height, width = seen.shape[:4]
        return seen.permute(0, 1, 4, 5, 2, 3).reshape(n, c * kh * kw, height * width)

    columns = run(input if input.ndim == 4 else input.unsqueeze(0))
    return columns if input.ndim == 4 else columns.squeeze(0)


def fold(
    input: Tensor,
    output_size: IntOrPair,
    kernel_size: IntOrPair,
    dilation: IntOrPair = 1,
    padding: IntOrPair = 0,
    stride: IntOrPair = 1,
) -> Tensor:
    """Return images with each column added where its window lies; the transpose of `unfold`.

    Args:
        input: (N, C * kH * kW, P) or (C * kH * kW, P): a column for each window, row by row.
        output_size: Height and width of the images; one number, or (rows, columns).
        kernel_size: Height and width of the window.
        dilation: Step within a window. Default: 1.
        padding: How far windows stand out on both sides; what lies there is lost. Default: 0.
        stride: Step from window to window. Default: 1.

    Returns:
        ``(N, C, *output_size)`` or ``(C, *output_size)``.

    Raises:
        ValueError: If shapes or arguments do not fit.

    Example:
        >>> import distgrad as dg
        >>> fold(dg.ones(4, 4), 3, 2).tolist()
        [[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]
    """
    slide = Sliding("fold", 2)
    size = slide.pair("output_size", output_size, least=1)
    window, paddings = _window(slide, size, kernel_size, dilation, padding, stride)
    (height, width), (kh, kw) = window.output, window.kernel
    if (
        input.ndim not in (2, 3)
        or not input.shape[-2]
        or input.shape[-2] % (kh * kw)
        or input.shape[-1] != height * width
    ):
        raise ValueError(
            f"fold: the input must have shape (N, C * {kh * kw}, {height * width}) or "
            f"(C * {kh * kw}, {height * width}), for {height} * {width} windows of {kh} * {kw} "
            f"elements, got {input.shape}"
        )
    channels = input.shape[-2] // (kh * kw)
    seen = input.reshape(*input.shape[:-2], channels, kh, kw, height, width)
    seen = seen.permute(*range(seen.ndim - 4), -2, -1, -4, -3)
    for axis, place in ((-3, 1), (-3, 0)):  # first the columns, whose windows stand last
        seen = apply(
            ops.overlap_add,
            seen,
            axis=seen.ndim + axis,
            step=window.stride[place],
            length=size[place] + 2 * paddings[place],
            dilation=window.dilation[place],
        )
    top, left = paddings
    return seen[..., top : top + size[0], left : left + size[1]]


def _window(
    slide: Sliding,
    size: tuple[int, ...],
    kernel_size: IntOrPair,
    dilation: IntOrPair,
    padding: IntOrPair,
    stride: IntOrPair,
) -> tuple[Window, Pair]:
    """Return how the window slides over an image of the size, and the padding."""
    kernel = slide.pair("kernel_size", kernel_size, least=1)
    dilations = slide.pair("dilation", dilation, least=1)
    rows, columns = slide.pair("padding", padding, least=0)
    strides = slide.pair("stride", stride, least=1)
    window = slide.window(size, kernel, strides, dilations, ((rows, rows), (columns, columns)))
    return window, (rows, columns)
