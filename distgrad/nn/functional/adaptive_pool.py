"""Pooling to a given size: each axis is cut into bins, which share elements where they must."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from distgrad import ops
from distgrad.backend import array_namespace
from distgrad.nn.functional.checks import check_floating
from distgrad.nn.functional.max_pool import max_pool2d
from distgrad.nn.functional.sliding import IntOrSingle, Sliding
from distgrad.ops.resample import Resampling
from distgrad.tensor import Tensor, apply

__all__ = [
    "OutputSize",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "bin_means",
]

OutputSize: TypeAlias = int | Sequence[int | None] | None
"""One number for rows and columns, or one for each; None keeps the length."""


def adaptive_avg_pool1d(input: Tensor, output_size: IntOrSingle) -> Tensor:
    """Return the means of bins of each channel: as many as wanted, of almost equal lengths.

    Args:
        input: (N, C, L) or (C, L)
        output_size: How many bins; the i-th begins at ``i * L // size`` and ends before
            ``(i + 1) * L / size``, rounded up.

    Returns:
        (N, C, output_size) or (C, output_size).

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> adaptive_avg_pool1d(dg.arange(5.0).reshape(1, 5), 2).tolist()
        [[1.0, 3.0]]
    """
    return _adaptive_avg_pool(Sliding("adaptive_avg_pool1d", 1), input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Return the means of bins of each channel: as many as wanted, of almost equal sizes.

    Args:
        input: (N, C, H, W) or (C, H, W)
        output_size: How many rows and columns of bins, which begin and end as those of
            `adaptive_avg_pool1d`; None for as many as the image has.

    Returns:
        ``(N, C, *output_size)`` or ``(C, *output_size)``.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> adaptive_avg_pool2d(dg.arange(16.0).reshape(1, 4, 4), (1, 2)).tolist()
        [[[6.5, 8.5]]]
        >>> adaptive_avg_pool2d(dg.ones(1, 4, 4), (None, 1)).shape
        (1, 4, 1)
    """
    return _adaptive_avg_pool(Sliding("adaptive_avg_pool2d", 2), input, output_size)


def _adaptive_avg_pool(slide: Sliding, input: Tensor, output_size: OutputSize) -> Tensor:
    check_floating(slide.function, input)
    slide.check_shape(input, filled=True)
    return bin_means(input, _bin_counts(slide, input, output_size))


def bin_means(input: Tensor, size: Sequence[int]) -> Tensor:
    """Return the means of bins along the last axes, ``size[i]`` along each of them."""
    counts: Any = 1
    for axis, number in enumerate(size, input.ndim - len(size)):
        starts, ends = np.array(_bins(input.shape[axis], number), int).reshape(-1, 2).T
        lengths = ends - starts
        places = np.repeat(np.arange(number), lengths)
        behind = np.arange(len(places)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        by = Resampling(number, places, starts[places] + behind)
        input = apply(ops.resample, input, axis=axis, by=by)
        counts = np.multiply.outer(counts, lengths)
    return apply(ops.divide, input, array_namespace(input.data).asarray(counts, input.dtype))


def adaptive_max_pool1d(
    input: Tensor, output_size: IntOrSingle, return_indices: bool = False
) -> Any:
    """Return the largest elements of bins of each channel.

    Args:
        input: (N, C, L) or (C, L)
        output_size: How many bins, as in `adaptive_avg_pool1d`.
        return_indices: Whether a second tensor says where each element lies.

    Returns:
        (N, C, output_size) or (C, output_size); with ``return_indices`` a tuple of that and of
        places, int64.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> adaptive_max_pool1d(dg.tensor([[3.0, 1.0, 2.0]]), 2).tolist()
        [[3.0, 2.0]]
    """
    slide = Sliding("adaptive_max_pool1d", 1)
    return _adaptive_max_pool(slide, input, output_size, return_indices)


def adaptive_max_pool2d(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """Return the largest elements of bins of each channel.

    Args:
        input: (N, C, H, W) or (C, H, W)
        output_size: How many rows and columns of bins, as in `adaptive_avg_pool2d`.
        return_indices: Whether a second tensor says where in its image each element lies.

    Returns:
        ``(N, C, *output_size)`` or ``(C, *output_size)``; with ``return_indices`` a tuple of that
        and of places, int64: ``row * W + column``.

    Raises:
        ValueError: If shapes or arguments do not fit.
        TypeError: If the input is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> adaptive_max_pool2d(dg.arange(9.0).reshape(1, 3, 3), 1, return_indices=True)
        (tensor([[[8.]]]), tensor([[[8]]]))
    """
    slide = Sliding("adaptive_max_pool2d", 2)
    return _adaptive_max_pool(slide, input, output_size, return_indices)


def _adaptive_max_pool(
    slide: Sliding, input: Tensor, output_size: OutputSize, return_indices: bool
) -> Any:
    check_floating(slide.function, input)
    slide.check_shape(input, filled=True)
    numbers = [*_bin_counts(slide, input, output_size), 1][:2]

    def run(images: Tensor) -> Any:
        size = images.shape[2:]
        if all(number and n % number == 0 for n, number in zip(size, numbers, strict=True)):
            kernel = size[0] // numbers[0], size[1] // numbers[1]
            return max_pool2d(images, kernel, return_indices=return_indices)
        rows, columns = map(_bins, size, numbers)
        x = images.detach()
        places = apply(ops.adaptive_max_indices, x, rows=rows, columns=columns)
        pixels = images.reshape(*images.shape[:2], math.prod(size))
        flat = places.reshape(*images.shape[:2], math.prod(numbers))
        largest = pixels.gather(2, flat).reshape(places.shape)
        return (largest, places) if return_indices else largest

    return slide.on_batch(input, run)


def _bin_counts(slide: Sliding, input: Tensor, output_size: OutputSize) -> list[int]:
    """Return how many bins each axis has."""
    given: Any = output_size
    if slide.axes == 2:
        given = given if isinstance(given, Sequence) else (given, given)
        if len(given) == 2:
            kept = zip(input.shape[-2:], given, strict=True)
            given = [n if number is None else number for n, number in kept]
    return list(slide.sizes("output_size", given, least=0))


def _bins(length: int, number: int) -> tuple[tuple[int, int], ...]:
    """Return (first, end) of each bin."""
    return tuple(
        (place * length // number, -(-(place + 1) * length // number)) for place in range(number)
    )
