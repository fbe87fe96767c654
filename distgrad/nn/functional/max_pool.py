"""The largest element of each window."""

import math
from typing import Any

from distgrad import ops
from distgrad.backend import array_namespace, to_host
from distgrad.nn.functional.pool import pooling_sizes
from distgrad.nn.functional.sliding import IntOrPair, IntOrSingle, Sliding
from distgrad.tensor import Tensor, apply

__all__ = ["max_pool1d", "max_pool2d", "max_unpool1d", "max_unpool2d"]


def max_pool1d(
    input: Tensor,
    kernel_size: IntOrSingle,
    stride: IntOrSingle | None = None,
    padding: IntOrSingle = 0,
    dilation: IntOrSingle = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest element of each window of each channel; nan where a window holds one.

    Of equal elements the first gets the gradient.

    Args:
        input: (N, C, L) or (C, L)
        kernel_size: Length of the window.
        stride: Step from window to window. Default: the kernel size.
        padding: How far windows stand out on both sides, at most half the kernel. Default: 0.
        dilation: Step within a window. Default: 1.
        ceil_mode: Whether a last window may stand out further, if it begins inside.
        return_indices: Whether a second tensor says where each element lies.

    Returns:
        (N, C, L') or (C, L'), where
        L' = (L + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1, rounded down, or up
        in ``ceil_mode``; with ``return_indices`` a tuple of that and of places, int64.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input holds truth values.

    Example:
        >>> import distgrad as dg
        >>> max_pool1d(dg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2, return_indices=True)
        (tensor([[3., 2.]]), tensor([[1, 2]]))
    """
    return _max_pool(
        Sliding("max_pool1d", 1),
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        return_indices,
    )


def max_pool2d(
    input: Tensor,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
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
        return_indices: Whether a second tensor says where in its image each element lies.

    Returns:
        (N, C, H', W') or (C, H', W'), where
        H' = (H + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1, rounded down, or up
        in ``ceil_mode``; with ``return_indices`` a tuple of that and of places, int64: row * W +
        column, or -1 where a window meets nothing.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input holds truth values.

    Example:
        >>> import distgrad as dg
        >>> max_pool2d(dg.arange(16.0).reshape(1, 4, 4), 2).tolist()
        [[[5.0, 7.0], [13.0, 15.0]]]
    """
    return _max_pool(
        Sliding("max_pool2d", 2),
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        return_indices,
    )


def _max_pool(
    slide: Sliding,
    input: Tensor,
    kernel_size: IntOrPair,
    stride: IntOrPair | None,
    padding: IntOrPair,
    dilation: IntOrPair,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    if input.dtype.kind == "b":
        raise TypeError(f"{slide.function}: the input must hold numbers, not {input.dtype}")
    slide.check_shape(input, filled=True)
    dilations = slide.pair("dilation", dilation, least=1)
    kernel, strides, paddings = pooling_sizes(slide, kernel_size, stride, padding)

    def run(images: Tensor) -> Any:
        window = slide.window(images.shape[2:], kernel, strides, dilations, paddings, ceil_mode)
        largest = apply(ops.max_pool2d, images, window=window)
        if not return_indices:
            return largest
        x = images.detach()
        return largest, apply(ops.max_pool2d_indices, x, largest.detach(), window=window)

    return slide.on_batch(input, run)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: IntOrSingle,
    stride: IntOrSingle | None = None,
    padding: IntOrSingle = 0,
    output_size: Any = None,
) -> Tensor:
    """Return signals of zeros with each element where `max_pool1d` took it from.

    Args:
        input: (N, C, L) or (C, L)
        indices: The places that `max_pool1d` returned, of the same shape. Of elements with one
            place the last stays.
        kernel_size: As it was given to `max_pool1d`.
        stride: The same.
        padding: The same.
        output_size: Length of the result, alone or behind N and C. Default:
            (L - 1) * stride - 2 * padding + kernel_size; it may differ by less than a stride.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the places are not of type int64.
        IndexError: If a place lies outside.

    Example:
        >>> import distgrad as dg
        >>> max_unpool1d(dg.tensor([[3.0, 2.0]]), dg.tensor([[1, 2]]), 2).tolist()
        [[0.0, 3.0, 2.0, 0.0]]
    """
    slide = Sliding("max_unpool1d", 1)
    return _max_unpool(slide, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    output_size: Any = None,
) -> Tensor:
    """Return images of zeros with each element where `max_pool2d` took it from.

    Args:
        input: (N, C, H, W) or (C, H, W)
        indices: The places that `max_pool2d` returned, of the same shape. Of elements with one
            place the last stays.
        kernel_size: As it was given to `max_pool2d`.
        stride: The same.
        padding: The same.
        output_size: (H', W'), alone or behind N and C. Default:
            (H - 1) * stride - 2 * padding + kernel_size; it may differ by less than a stride.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the places are not of type int64.
        IndexError: If a place lies outside.

    Example:
        >>> import distgrad as dg
        >>> max_unpool2d(dg.tensor([[[3.0]]]), dg.tensor([[[2]]]), 2).tolist()
        [[[0.0, 0.0], [3.0, 0.0]]]
    """
    slide = Sliding("max_unpool2d", 2)
    return _max_unpool(slide, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    slide: Sliding,
    input: Tensor,
    indices: Tensor,
    kernel_size: IntOrPair,
    stride: IntOrPair | None,
    padding: IntOrPair,
    output_size: Any,
) -> Tensor:
    slide.check_shape(input, filled=True)
    if indices.shape != input.shape:
        raise ValueError(
            f"{slide.function}: indices must have the input's shape {input.shape}, got "
            f"{indices.shape}"
        )
    if indices.dtype.name != "int64":
        raise TypeError(f"{slide.function}: indices must be of type int64, not {indices.dtype}")
    kernel = slide.sizes("kernel_size", kernel_size, least=1)
    strides = kernel if stride is None else slide.sizes("stride", stride, least=1)
    paddings = slide.sizes("padding", padding, least=0)
    lengths = input.shape[-slide.axes :]
    default = [
        (n - 1) * s - 2 * p + k
        for n, s, p, k in zip(lengths, strides, paddings, kernel, strict=True)
    ]
    size = default if output_size is None else _unpooled_size(slide, output_size, default, strides)
    around, area = input.shape[: -slide.axes], math.prod(size)
    places = indices.reshape(*around, math.prod(lengths))
    outside = places.data[(places.data < 0) | (places.data >= area)]
    if outside.size:
        raise IndexError(
            f"{slide.function}: indices must lie in an output of size {tuple(size)}, from 0 to "
            f"{area - 1}, got {int(to_host(outside)[0])}; output_size may make it larger"
        )
    blank = Tensor(array_namespace(input.data).zeros((*around, area), input.dtype))
    return blank.scatter(-1, places, input.reshape(places.shape)).reshape(*around, *size)


def _unpooled_size(
    slide: Sliding, output_size: Any, default: list[int], strides: tuple[int, ...]
) -> list[int]:
    given = (output_size,) if hasattr(output_size, "__index__") else tuple(output_size)
    size = list(given[-slide.axes :])
    if len(given) not in (slide.axes, slide.axes + 2):
        raise ValueError(
            f"{slide.function}: output_size must have {slide.axes} numbers, or {slide.axes + 2} "
            f"with N and C, got {tuple(given)}"
        )
    for n, usual, step in zip(size, default, strides, strict=True):
        if not usual - step < n < usual + step or n < 0:
            raise ValueError(
                f"{slide.function}: output_size must differ by less than the stride {strides} from "
                f"{tuple(default)}, got {tuple(size)}"
            )
    return size
