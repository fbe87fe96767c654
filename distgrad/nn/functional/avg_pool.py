"""The mean of each window, and the power mean."""

import math

from distgrad import ops
from distgrad.nn.functional.max_pool import max_pool1d, max_pool2d
from distgrad.nn.functional.pool import pooling_sizes
from distgrad.nn.functional.rectifier import relu
from distgrad.nn.functional.sliding import IntOrPair, IntOrSingle, Sliding
from distgrad.ops.window import Window
from distgrad.tensor import Tensor, apply

__all__ = ["avg_pool1d", "avg_pool2d", "lp_pool1d", "lp_pool2d"]


def avg_pool1d(
    input: Tensor,
    kernel_size: IntOrSingle,
    stride: IntOrSingle | None = None,
    padding: IntOrSingle = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window of each channel.

    Args:
        input: (N, C, L) or (C, L); means of whole numbers are rounded towards 0.
        kernel_size: Length of the window.
        stride: Step from window to window. Default: the kernel size.
        padding: Zeros on both sides, at most half the kernel. Default: 0.
        ceil_mode: Whether a last window may stand out further, if it begins inside.
        count_include_pad: Whether zeros of the padding count as elements. Default: True. What
            stands out beyond the padding never does.

    Returns:
        (N, C, L') or (C, L'), as `max_pool1d` with dilation 1.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input holds truth values.

    Example:
        >>> import distgrad as dg
        >>> avg_pool1d(dg.arange(6.0).reshape(1, 6), 3).tolist()
        [[1.0, 4.0]]
    """
    slide = Sliding("avg_pool1d", 1)
    return _avg_pool(slide, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


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
        input: (N, C, H, W) or (C, H, W); means of whole numbers are rounded towards 0.
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
        TypeError: If the input holds truth values.

    Example:
        >>> import distgrad as dg
        >>> avg_pool2d(dg.arange(16.0).reshape(1, 4, 4), 2).tolist()
        [[[2.5, 4.5], [10.5, 12.5]]]
        >>> avg_pool2d(dg.ones(1, 2, 2), 2, padding=1, count_include_pad=False).tolist()
        [[[1.0, 1.0], [1.0, 1.0]]]
    """
    return _avg_pool(
        Sliding("avg_pool2d", 2),
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def _avg_pool(
    slide: Sliding,
    input: Tensor,
    kernel_size: IntOrPair,
    stride: IntOrPair | None,
    padding: IntOrPair,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    if input.dtype.kind == "b":
        raise TypeError(f"{slide.function}: the input must hold numbers, not {input.dtype}")
    if divisor_override == 0:
        raise ValueError("avg_pool2d: divisor_override must not be 0; None divides by the counts")
    slide.check_shape(input, filled=True)
    kernel, strides, paddings = pooling_sizes(slide, kernel_size, stride, padding)

    def run(images: Tensor) -> Tensor:
        size = images.shape[2:]
        window = slide.window(size, kernel, strides, (1, 1), paddings, ceil_mode)
        rows, columns = (
            _counts(window, axis, size[axis], paddings[axis][0] if count_include_pad else 0)
            for axis in range(2)
        )
        if divisor_override is not None:
            rows, columns = (divisor_override,) * len(rows), (1,) * len(columns)
        return apply(ops.avg_pool2d, images, window=window, counts=(rows, columns))

    result: Tensor = slide.on_batch(input, run)
    return result


def _counts(window: Window, axis: int, size: int, margin: int) -> tuple[int, ...]:
    """Return for one axis how many elements the window counts at each of its places.

    Those are the ``size`` elements of the image and ``margin`` on both sides.
    """
    kernel, stride = window.kernel[axis], window.stride[axis]
    starts = [place * stride - window.before[axis] for place in range(window.output[axis])]
    return tuple(min(s + kernel, size + margin) - max(s, -margin) for s in starts)


def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: IntOrSingle,
    stride: IntOrSingle | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return for each window the root of the sum of powers: ``sum(x**p) ** (1 / p)``.

    Args:
        input: (N, C, L) or (C, L), of floating-point type
        norm_type: The power p; infinity for the largest absolute value, -infinity for the smallest.
        kernel_size: Length of the window.
        stride: Step from window to window. Default: the kernel size.
        ceil_mode: Whether a last window may stand out, if it begins inside; its sum is that of as
            many elements as a whole window has, with the mean of those that it meets.

    Raises:
        ValueError: If shapes or arguments do not fit.

    Example:
        >>> import distgrad as dg
        >>> lp_pool1d(dg.tensor([[3.0, 4.0, 6.0, 8.0]]), 2, 2).tolist()
        [[5.0, 10.0]]
    """
    if math.isinf(norm_type):
        sign = math.copysign(1, norm_type)
        largest: Tensor = max_pool1d(abs(input) * sign, kernel_size, stride, ceil_mode=ceil_mode)
        return largest * sign
    means = avg_pool1d(input**norm_type, kernel_size, stride, ceil_mode=ceil_mode)
    (count,) = Sliding("lp_pool1d", 1).sizes("kernel_size", kernel_size, least=1)
    return _root(means, count, norm_type)


def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return for each window the root of the sum of powers: ``sum(x**p) ** (1 / p)``.

    Args:
        input: (N, C, H, W) or (C, H, W), of floating-point type
        norm_type: The power p; infinity for the largest absolute value, -infinity for the smallest.
        kernel_size: Height and width of the window; one number, or (rows, columns).
        stride: Step from window to window. Default: the kernel size.
        ceil_mode: Whether a last window may stand out, if it begins inside; its sum is that of as
            many elements as a whole window has, with the mean of those that it meets.

    Raises:
        ValueError: If shapes or arguments do not fit.

    Example:
        >>> import distgrad as dg
        >>> lp_pool2d(dg.tensor([[[1.0, 1.0], [1.0, 1.0]]]), 2, 2).tolist()
        [[[2.0]]]
    """
    if math.isinf(norm_type):
        sign = math.copysign(1, norm_type)
        largest: Tensor = max_pool2d(abs(input) * sign, kernel_size, stride, ceil_mode=ceil_mode)
        return largest * sign
    means = avg_pool2d(input**norm_type, kernel_size, stride, ceil_mode=ceil_mode)
    rows, columns = Sliding("lp_pool2d", 2).sizes("kernel_size", kernel_size, least=1)
    return _root(means, rows * columns, norm_type)


def _root(means: Tensor, count: int, norm_type: float) -> Tensor:
    """Return the root of sums; where they are 0, so is the gradient."""
    size: Tensor = relu(abs(means))
    return (means.sign() * size * count) ** (1.0 / norm_type)
