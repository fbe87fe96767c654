"""Pooling of images."""

from distgrad import ops
from distgrad.nn.functional.checks import check_floating
from distgrad.nn.functional.sliding import IntOrPair, Pair, as_pair, make_window, on_batch
from distgrad.ops.window import Window
from distgrad.tensor import Tensor, apply

__all__ = ["avg_pool2d", "max_pool2d"]


def max_pool2d(
    input: Tensor,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest element of each window of each channel; nan where a window holds one.

    Of equal elements the first, row by row, gets the gradient.

    Args:
        input: (N, C, H, W) or (C, H, W)
        kernel_size: Height and width of the window; one number, or (rows, columns).
        stride: Step from window to window. Default: the kernel size.
        padding: How far windows stand out on both sides, at most half the kernel. Default: 0.
            A window that meets no element of the image gives -inf.
        dilation: Step within a window. Default: 1.
        ceil_mode: Whether a last window may stand out further, if it begins inside.

    Returns:
        (N, C, H', W') or (C, H', W'), where
        H' = (H + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1, rounded down, or up
        in ``ceil_mode``.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> max_pool2d(dg.arange(16.0).reshape(1, 4, 4), 2).tolist()
        [[[5.0, 7.0], [13.0, 15.0]]]
    """
    check_floating("max_pool2d", input)
    kernel, strides, paddings = _sizes("max_pool2d", kernel_size, stride, padding)
    dilations = as_pair("max_pool2d", "dilation", dilation, least=1)

    def run(images: Tensor) -> Tensor:
        window = make_window(
            "max_pool2d", images.shape[2:], kernel, strides, dilations, paddings, ceil_mode
        )
        return apply(ops.max_pool2d, images, window=window)

    return on_batch("max_pool2d", input, run)


def avg_pool2d(
    input: Tensor,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window of each channel.

    Args:
        input: (N, C, H, W) or (C, H, W)
        kernel_size: Height and width of the window; one number, or (rows, columns).
        stride: Step from window to window. Default: the kernel size.
        padding: Zeros on both sides, at most half the kernel. Default: 0.
        ceil_mode: Whether a last window may stand out further, if it begins inside.
        count_include_pad: Whether zeros of the padding count as elements. Default: True. What
            stands out beyond the padding never does.
        divisor_override: Divide the sums by this number instead.

    Returns:
        (N, C, H', W') or (C, H', W'), as `max_pool2d` with dilation 1.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> avg_pool2d(dg.arange(16.0).reshape(1, 4, 4), 2).tolist()
        [[[2.5, 4.5], [10.5, 12.5]]]
        >>> avg_pool2d(dg.ones(1, 2, 2), 2, padding=1, count_include_pad=False).tolist()
        [[[1.0, 1.0], [1.0, 1.0]]]
    """
    check_floating("avg_pool2d", input)
    if divisor_override == 0:
        raise ValueError("avg_pool2d: divisor_override must not be 0; None divides by the counts")
    kernel, strides, paddings = _sizes("avg_pool2d", kernel_size, stride, padding)

    def run(images: Tensor) -> Tensor:
        size = images.shape[2:]
        window = make_window("avg_pool2d", size, kernel, strides, (1, 1), paddings, ceil_mode)
        rows, columns = (
            _counts(window, axis, size[axis], paddings[axis][0] if count_include_pad else 0)
            for axis in range(2)
        )
        if divisor_override is not None:
            rows, columns = (divisor_override,) * len(rows), (1,) * len(columns)
        return apply(ops.avg_pool2d, images, window=window, counts=(rows, columns))

    return on_batch("avg_pool2d", input, run)


def _sizes(
    function: str, kernel_size: IntOrPair, stride: IntOrPair | None, padding: IntOrPair
) -> tuple[Pair, Pair, tuple[Pair, Pair]]:
    """Return kernel, stride and padding (above, below), (left, right)."""
    kernel = as_pair(function, "kernel_size", kernel_size, least=1)
    strides = kernel if stride is None else as_pair(function, "stride", stride, least=1)
    rows, columns = as_pair(function, "padding", padding, least=0)
    if 2 * rows > kernel[0] or 2 * columns > kernel[1]:
        raise ValueError(
            f"{function}: padding must be at most half of the kernel size, got {(rows, columns)} "
            f"for {kernel}"
        )
    return kernel, strides, ((rows, rows), (columns, columns))


def _counts(window: Window, axis: int, size: int, margin: int) -> tuple[int, ...]:
    """Return for one axis how many elements the window counts at each of its places.

    Those are the ``size`` elements of the image and ``margin`` on both sides.
    """
    kernel, stride = window.kernel[axis], window.stride[axis]
    starts = [place * stride - window.before[axis] for place in range(window.output[axis])]
    return tuple(min(s + kernel, size + margin) - max(s, -margin) for s in starts)
