"""Transposed convolution of signals and images: the gradient of convolution by its input."""

from distgrad import ops
from distgrad.nn.functional.conv import check_convolution, lifted
from distgrad.nn.functional.sliding import IntOrPair, IntOrSingle, Sliding
from distgrad.ops.window import Window
from distgrad.tensor import Tensor, apply

__all__ = ["conv_transpose1d", "conv_transpose2d"]


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrSingle = 1,
    padding: IntOrSingle = 0,
    output_padding: IntOrSingle = 0,
    groups: int = 1,
    dilation: IntOrSingle = 1,
) -> Tensor:
    """Return signals from which `conv1d` with the same weight would come: its transpose.

    Args:
        input: (N, C, L) or (C, L)
        weight: (C, O / groups, k), of the input's data type
        bias: (O,) or None
        stride: Step of the convolution, here of the output. Default: 1.
        padding: Elements taken away on both sides of the output. Default: 0.
        output_padding: Elements more at the end, less than ``stride`` or ``dilation``. Default: 0.
        groups: Of the input's channels the g-th part meets the g-th part of the output's.
        dilation: Step within a window. Default: 1.

    Returns:
        (N, O, L') or (O, L'), where
        L' = (L - 1) * stride - 2 * padding + dilation * (k - 1) + output_padding + 1.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input holds truth values.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> conv_transpose1d(dg.tensor([[1.0, 2.0]]), dg.ones(1, 1, 3), stride=2).tolist()
        [[1.0, 1.0, 3.0, 2.0, 2.0]]
    """
    slide = Sliding("conv_transpose1d", 1)
    return _transposed(
        slide, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    groups: int = 1,
    dilation: IntOrPair = 1,
) -> Tensor:
    """Return images from which `conv2d` with the same weight would come: its transpose.

    Args:
        input: (N, C, H, W) or (C, H, W)
        weight: (C, O / groups, kH, kW), of the input's data type
        bias: (O,) or None
        stride: Step of the convolution, here of the output; one number, or (rows, columns).
            Default: 1.
        padding: Rows and columns taken away on both sides of the output. Default: 0.
        output_padding: Rows and columns more at the end, less than ``stride`` or ``dilation``.
            Default: 0.
        groups: Of the input's channels the g-th part meets the g-th part of the output's.
        dilation: Step within a window. Default: 1.

    Returns:
        (N, O, H', W') or (O, H', W'), where
        H' = (H - 1) * stride - 2 * padding + dilation * (kH - 1) + output_padding + 1.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input holds truth values.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> conv_transpose2d(dg.ones(1, 2, 2), dg.ones(1, 1, 2, 2)).tolist()
        [[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]

    Reference:
        V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning",
        arXiv:1603.07285.
    """
    slide = Sliding("conv_transpose2d", 2)
    return _transposed(
        slide, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def _transposed(
    slide: Sliding,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: IntOrPair,
    padding: IntOrPair,
    output_padding: IntOrPair,
    groups: int,
    dilation: IntOrPair,
) -> Tensor:
    check_convolution(slide, input, weight, bias, groups, transposed=True)
    strides = slide.pair("stride", stride, least=1)
    paddings = slide.pair("padding", padding, least=0)
    extra = slide.pair("output_padding", output_padding, least=0)
    dilations = slide.pair("dilation", dilation, least=1)
    if any(e >= max(s, d) for e, s, d in zip(extra, strides, dilations, strict=True)):
        raise ValueError(
            f"{slide.function}: output_padding must be less than stride or dilation, got "
            f"{extra[: slide.axes]} for {strides[: slide.axes]} and {dilations[: slide.axes]}"
        )
    kernels = lifted(weight)
    kernel = kernels.shape[2], kernels.shape[3]

    def run(images: Tensor) -> Tensor:
        places = images.shape[2], images.shape[3]
        window = Window(kernel, strides, dilations, paddings, places)
        size = tuple(s - 2 * p + e for s, p, e in zip(window.span, paddings, extra, strict=True))
        if min(size) < 1:
            raise ValueError(
                f"{slide.function}: nothing would be left of the output, of size "
                f"{size[: slide.axes]}: windows span {window.span[: slide.axes]} and padding takes "
                f"2 * {paddings[: slide.axes]} away; use a larger input or less padding"
            )
        return apply(
            ops.conv_transpose2d, images, kernels, bias, window=window, groups=groups, size=size
        )

    result: Tensor = slide.on_batch(input, run)
    return result
