"""Convolution of signals and images."""

from distgrad import ops
from distgrad.nn.functional.sliding import IntOrPair, IntOrSingle, Pair, Sliding
from distgrad.tensor import Tensor, apply

__all__ = ["check_convolution", "conv1d", "conv2d", "lifted", "same_padding"]


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrSingle = 1,
    padding: IntOrSingle | str = 0,
    dilation: IntOrSingle = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of signals with a weight, plus a bias for each output channel.

    Args:
        input: (N, C, L) or (C, L)
        weight: (O, C / groups, k), of the input's data type
        bias: (O,) or None
        stride: Step from window to window. Default: 1.
        padding: Zeros on both sides of the signal; or "valid" for none, or "same" for an output of
            the input's length, with the odd zero behind. Default: 0.
        dilation: Step within a window. Default: 1.
        groups: Of the input's channels the g-th part meets the g-th part of the output's.

    Returns:
        (N, O, L') or (O, L'), where L' = (L + 2 * padding - dilation * (k - 1) - 1) // stride + 1.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input holds truth values.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> conv1d(dg.arange(4.0).reshape(1, 4), dg.tensor([[[-1.0, 0.0, 1.0]]])).tolist()
        [[2.0, 2.0]]
    """
    return _convolved(Sliding("conv1d", 1), input, weight, bias, stride, padding, dilation, groups)


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

    In float32 kernels of three rows go by Winograd's algorithm, with no larger error; but where a
    pixel is infinite or nan, more of the outputs around it may become nan than those that see it.

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
        TypeError: If the input holds truth values.
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
    return _convolved(Sliding("conv2d", 2), input, weight, bias, stride, padding, dilation, groups)


def _convolved(
    slide: Sliding,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: IntOrPair,
    padding: IntOrPair | str,
    dilation: IntOrPair,
    groups: int,
) -> Tensor:
    check_convolution(slide, input, weight, bias, groups)
    strides = slide.pair("stride", stride, least=1)
    dilations = slide.pair("dilation", dilation, least=1)
    kernels = lifted(weight)
    kernel = kernels.shape[2], kernels.shape[3]
    paddings = _padding(slide, padding, kernel, strides, dilations)

    def run(images: Tensor) -> Tensor:
        window = slide.window(images.shape[2:], kernel, strides, dilations, paddings)
        return apply(ops.conv2d, images, kernels, bias, window=window, groups=groups)

    result: Tensor = slide.on_batch(input, run)
    return result


def lifted(weight: Tensor) -> Tensor:
    """Return a weight of signals as one of images, which are one pixel wide."""
    return weight if weight.ndim == 4 else weight.reshape(*weight.shape, 1)


def _padding(
    slide: Sliding, padding: IntOrPair | str, kernel: Pair, stride: Pair, dilation: Pair
) -> tuple[Pair, Pair]:
    """Return the zeros (above, below) and (left, right)."""
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(
                f'{slide.function}: padding="same" needs stride 1, got {stride[: slide.axes]}; '
                "give the padding in numbers"
            )
        rows, columns = map(same_padding, kernel, dilation)
        return rows, columns
    if isinstance(padding, str):
        if padding != "valid":
            raise ValueError(
                f'{slide.function}: padding must be numbers, "valid" or "same", got {padding!r}'
            )
        padding = 0
    above, left = slide.pair("padding", padding, least=0)
    return (above, above), (left, left)


def same_padding(kernel: int, dilation: int) -> Pair:
    """Return how much is added (before, after) an axis to keep its length: the odd one behind."""
    reach = dilation * (kernel - 1)
    return reach // 2, reach - reach // 2


def check_convolution(
    slide: Sliding,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    groups: int,
    transposed: bool = False,
) -> None:
    """Refuse shapes and data types that do not fit together.

    Args:
        slide: Of the calling function.
        input: The images or signals.
        weight: (O, C / groups, ...); transposed (C, O / groups, ...).
        bias: (O,) or None
        groups: Parts of the channels.
        transposed: Whether the weight is that of a transposed convolution.

    Raises:
        ValueError: If the shapes do not fit.
        TypeError: If the input holds truth values.
        RuntimeError: If the data types differ.
    """
    slide.check_shape(input)
    function, first = slide.function, "C" if transposed else "O"
    if weight.ndim != 2 + slide.axes or 0 in weight.shape:
        form = f"{first}, {'O' if transposed else 'C'} / groups, {('k', 'kH, kW')[slide.axes - 1]}"
        raise ValueError(
            f"{function}: the weight must have shape ({form}) without a zero, got {weight.shape}"
        )
    if groups < 1 or weight.shape[0] % groups:
        raise ValueError(
            f"{function}: groups must be 1 or more and divide the {weight.shape[0]} "
            f"{'input' if transposed else 'output'} channels, got {groups}"
        )
    outer, inner = weight.shape[0], weight.shape[1] * groups
    outputs, channels = (inner, outer) if transposed else (outer, inner)
    if bias is not None and bias.shape != (outputs,):
        raise ValueError(
            f"{function}: a weight of shape {weight.shape} needs a bias of shape {(outputs,)}, "
            f"got {bias.shape}"
        )
    if input.shape[-1 - slide.axes] != channels:
        reason = "" if transposed else f"{weight.shape[1]} * {groups} = "
        raise ValueError(
            f"{function}: a weight of shape {weight.shape} with groups={groups} needs an input of "
            f"{reason}{channels} channels, got {input.shape[-1 - slide.axes]} in {input.shape}"
        )
    _check_types(function, input, weight, bias)


def _check_types(function: str, input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if input.dtype.kind == "b":
        raise TypeError(f"{function}: the input must hold numbers, not {input.dtype}")
    if input.dtype != weight.dtype or (bias is not None and bias.dtype != weight.dtype):
        raise RuntimeError(
            f"{function}: input, weight and bias must have one data type, got {input.dtype}, "
            f"{weight.dtype} and {None if bias is None else bias.dtype}; convert with .to()"
        )
