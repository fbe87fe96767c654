"""Convolution of images: which of the ways here serves which windows."""

from typing import Any

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled import shallow, winograd
from distgrad.backend.kernels.compiled.images import channels_last
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN"]


def conv2d(
    _xp: Namespace, x: Array, weight: Array, bias: Array | None, window: Any, groups: int
) -> Any:
    given, way = channels_last(x), _way(window, x.shape[1], len(weight), groups)
    if given is None or way is None:
        return NotImplemented
    if bias is not None:
        bias = bias.copy()  # compiled code takes no read-only array
    return way.correlate(*given, weight, bias, window).transpose(0, 3, 1, 2)


def conv2d_weight(_xp: Namespace, x: Array, above: Array, window: Any, groups: int) -> Any:
    given, way = channels_last(x, above), _way(window, x.shape[1], above.shape[1], groups)
    if given is None or way is None:
        return NotImplemented
    return way.weight_gradient(*given, window)


def _way(window: Any, channels: int, outputs: int, groups: int) -> Any:
    for way in (winograd, shallow):
        if groups == 1 and way.serves(window, channels, outputs):
            return way
    return None


COLUMN: Column = {"conv2d": conv2d, "conv2d_weight": conv2d_weight}
