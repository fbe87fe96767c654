"""Convolution of images."""

from distgrad import ops
from distgrad.nn.functional.checks import check_floating
from distgrad.nn.functional.sliding import IntOrPair, Pair, as_pair, make_window, on_batch
from distgrad.tensor import Tensor, apply

__all__ = ["conv2d"]


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair | str = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of images with a weight, plus a bias for each output channel.

    The result is a view of memory in the order (N, H, W, C), which convolution and pooling work on;
    an input that lies so already need not be converted.

    Args:
        input: (N, C, H, W) or (C, H, W)
        weight: (O, C / groups, kH, kW), of the input's data type
        bias: (O,) or None
        stride: Step from window to window; one number, or (rows, columns). Default: 1.
        padding: Zeros on both sides of the image, in the same way; or "valid" for none, or "same"
            for an output of the input's size, with the odd zero below or right. Default: 0.
        dilation: Step within a window. Default: 1.
        groups: Of the input's channels the g-th part meets the g-th part of the output's.

    Returns:
        (N, O, H', W') or (O, H', W'), where
        H' = (H + 2 * padding - dilation * (kH - 1) - 1) // stride + 1.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input is not of floating-point type.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> conv2d(dg.ones(1, 1, 3, 3), dg.ones(1, 1, 2, 2)).tolist()
        [[[[4.0, 4.0], [4.0, 4.0]]]]
        >>> conv2d(dg.ones(2, 3, 28, 28), dg.ones(8, 3, 5, 5), stride=2, padding="valid").shape
        (2, 8, 12, 12)

    Reference:
        V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning",
        arXiv:1603.07285.
    """
    check_floating("conv2d", input)
    _check_weight(weight, bias, groups)
    strides = as_pair("conv2d", "stride", stride, least=1)
    dilations = as_pair("conv2d", "dilation", dilation, least=1)
    kernel = weight.shape[2], weight.shape[3]
    paddings = _padding(padding, kernel, strides, dilations)

    def run(images: Tensor) -> Tensor:
        _check_input(images, weight, bias, groups)
        window = make_window("conv2d", images.shape[2:], kernel, strides, dilations, paddings)
        return apply(ops.conv2d, images, weight, bias, window=window, groups=groups)

    return on_batch("conv2d", input, run)


def _padding(
    padding: IntOrPair | str, kernel: Pair, stride: Pair, dilation: Pair
) -> tuple[Pair, Pair]:
    """Return the zeros (above, below) and (left, right)."""
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(
                f'conv2d: padding="same" needs stride 1, got {stride}; give the padding in numbers'
            )
        reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        above, left = (r // 2 for r in reach)
        return (above, reach[0] - above), (left, reach[1] - left)
    if isinstance(padding, str):
        if padding != "valid":
            raise ValueError(f'conv2d: padding must be numbers, "valid" or "same", got {padding!r}')
        padding = 0
    rows, columns = as_pair("conv2d", "padding", padding, least=0)
    return (rows, rows), (columns, columns)


def _check_weight(weight: Tensor, bias: Tensor | None, groups: int) -> None:
    if weight.ndim != 4 or 0 in weight.shape:
        raise ValueError(
            "conv2d: the weight must have shape (O, C / groups, kH, kW) without a zero, got "
            f"{weight.shape}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(
            f"conv2d: a weight of shape {weight.shape} needs a bias of shape {weight.shape[:1]}, "
            f"got {bias.shape}"
        )
    if groups < 1 or weight.shape[0] % groups:
        raise ValueError(
            f"conv2d: groups must be 1 or more and divide the {weight.shape[0]} output channels, "
            f"got {groups}"
        )


def _check_input(input: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    channels = weight.shape[1] * groups
    if input.shape[1] != channels:
        raise ValueError(
            f"conv2d: a weight of shape {weight.shape} with groups={groups} needs an input of "
            f"{weight.shape[1]} * {groups} = {channels} channels, got {input.shape[1]} in "
            f"{input.shape}"
        )
    if input.dtype != weight.dtype or (bias is not None and bias.dtype != weight.dtype):
        raise RuntimeError(
            f"conv2d: input, weight and bias must have one data type, got {input.dtype}, "
            f"{weight.dtype} and {None if bias is None else bias.dtype}; convert with .to()"
        )
