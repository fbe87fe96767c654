"""Signals and images in another size."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from distgrad import ops
from distgrad.backend.dtypes import is_floating
from distgrad.nn.functional.adaptive_pool import bin_means
from distgrad.nn.functional.interpolation import Axis, cubic, linear, nearest, nearest_exact
from distgrad.tensor import Tensor, apply

__all__ = ["Scale", "Size", "interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

Size: TypeAlias = int | Sequence[int]
"""One number for all axes behind batch and channels, or one for each."""
Scale: TypeAlias = float | Sequence[float]
"""The same."""

_RULES = {
    "nearest": nearest,
    "nearest-exact": nearest_exact,
    "linear": linear,
    "bilinear": linear,
    "bicubic": cubic,
    "trilinear": linear,
}
_AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}  # others serve 1, 2 or 3


def interpolate(
    input: Tensor,
    size: Size | None = None,
    scale_factor: Scale | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Return signals, images or volumes in another size.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W)
        size: The new lengths, one for all axes or one for each; or
        scale_factor: what the lengths are multiplied by; the products are rounded down.
        mode: "nearest", the element where a place begins; "nearest-exact", where its middle lies;
            "linear", "bilinear" or "trilinear" between the elements around, of one, two or three
            axes; "bicubic", a smooth curve through images; "area", the means of bins.
        align_corners: In the modes between elements, whether the middles of the first and last
            elements stay where they are, instead of their outer ends. Default: False.
        recompute_scale_factor: Whether the factor follows from the rounded lengths. By default the
            places follow from the factor as given.
        antialias: Not there: it must be False.

    Returns:
        (N, C, L'), (N, C, H', W') or (N, C, D', H', W').

    Raises:
        ValueError: If arguments contradict each other or do not fit the input.
        TypeError: If a mode that computes meets an input that is not of floating-point type.
        NotImplementedError: If the mode serves another number of axes, or antialias is asked for.

    Example:
        >>> import distgrad as dg
        >>> x = dg.tensor([[[0.0, 2.0]]])
        >>> interpolate(x, 4).tolist()
        [[[0.0, 0.0, 2.0, 2.0]]]
        >>> interpolate(x, scale_factor=2, mode="linear").tolist()
        [[[0.0, 0.5, 1.5, 2.0]]]
        >>> interpolate(x, 3, mode="linear", align_corners=True).tolist()
        [[[0.0, 1.0, 2.0]]]
    """
    _check_mode(input, mode, align_corners, antialias)
    lengths = input.shape[2:]
    sizes, scales = _sizes(lengths, size, scale_factor)
    if recompute_scale_factor:
        if size is not None:
            raise ValueError("interpolate: recompute_scale_factor needs scale_factor, not size")
        scales = [None] * len(scales)
    if min(sizes) < (mode != "area") or 0 in input.shape[1:]:
        raise ValueError(
            "interpolate: no axis but that of the batch may have length 0, before or after, got "
            f"{input.shape} and the new lengths {tuple(sizes)}"
        )
    if mode == "area":
        return bin_means(input, sizes)
    for place in reversed(range(len(sizes))):
        axis = Axis(
            lengths[place], sizes[place], scales[place], bool(align_corners), input.data.dtype
        )
        input = apply(ops.resample, input, axis=place + 2, by=_RULES[mode](axis))
    return input


def upsample(
    input: Tensor,
    size: Size | None = None,
    scale_factor: Scale | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Return the input in another size; an old name of `interpolate`.

    Example:
        >>> import distgrad as dg
        >>> upsample(dg.tensor([[[1.0, 2.0]]]), scale_factor=2).tolist()
        [[[1.0, 1.0, 2.0, 2.0]]]
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: Size | None = None, scale_factor: Scale | None = None
) -> Tensor:
    """Return the input in another size; `interpolate` with ``mode="nearest"``.

    Example:
        >>> import distgrad as dg
        >>> upsample_nearest(dg.tensor([[[1.0, 2.0]]]), 4).tolist()
        [[[1.0, 1.0, 2.0, 2.0]]]
    """
    return interpolate(input, size, scale_factor)


def upsample_bilinear(
    input: Tensor, size: Size | None = None, scale_factor: Scale | None = None
) -> Tensor:
    """Return images in another size; `interpolate` with ``mode="bilinear", align_corners=True``.

    Example:
        >>> import distgrad as dg
        >>> upsample_bilinear(dg.tensor([[[[0.0, 2.0]]]]), (1, 3)).tolist()
        [[[[0.0, 1.0, 2.0]]]]
    """
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


def _check_mode(input: Tensor, mode: str, align_corners: bool | None, antialias: bool) -> None:
    if mode not in (*_RULES, "area"):
        raise NotImplementedError(
            f"interpolate: mode must be one of {(*_RULES, 'area')}, got {mode!r}"
        )
    if antialias:
        raise NotImplementedError(
            "interpolate: antialias is not there; avg_pool2d() before makes an image smaller "
            "without artefacts"
        )
    if align_corners is not None and mode not in _AXES:
        raise ValueError(
            f"interpolate: align_corners belongs to the modes {tuple(_AXES)}, not to {mode!r}"
        )
    axes = input.ndim - 2
    if axes not in (1, 2, 3) or axes != _AXES.get(mode, axes):
        shape = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}.get(
            _AXES.get(mode, 0), "(N, C, L), (N, C, H, W) or (N, C, D, H, W)"
        )
        raise NotImplementedError(
            f"interpolate: the mode {mode!r} takes an input of shape {shape}, got {input.shape}"
        )
    if not mode.startswith("nearest") and not is_floating(input.data.dtype):
        raise TypeError(
            f"interpolate: the mode {mode!r} takes an input of floating-point type, not "
            f"{input.dtype}; convert with .to()"
        )


def _sizes(
    lengths: tuple[int, ...], size: Size | None, scale_factor: Scale | None
) -> tuple[list[int], list[float | None]]:
    """Return the new length of each axis, and its factor where factors were given."""
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give size or scale_factor, one of the two")
    name, value = ("size", size) if scale_factor is None else ("scale_factor", scale_factor)
    numbers: list[Any] = list(value) if isinstance(value, Sequence) else [value] * len(lengths)
    if len(numbers) != len(lengths):
        raise ValueError(
            f"interpolate: {name} must be one number, or one for each of the {len(lengths)} axes "
            f"behind batch and channels, got {value!r}"
        )
    if scale_factor is not None:
        scales = [float(number) for number in numbers]
        return [math.floor(n * s) for n, s in zip(lengths, scales, strict=True)], [*scales]
    if not all(isinstance(number, int | np.integer) for number in numbers):
        raise TypeError(f"interpolate: size must be integers, got {value!r}")
    return [int(number) for number in numbers], [None] * len(lengths)
