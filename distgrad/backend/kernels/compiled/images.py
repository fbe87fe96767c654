"""Images as the kernels of this column take them."""

from typing import Any

import numpy as np

from distgrad.backend import Array
from distgrad.backend.kernels.compiled.lanes import LANES

__all__ = ["channels_last", "filled_lanes", "window_numbers"]


def channels_last(*images: Array) -> list[Array] | None:
    """Return arrays (N, C, H, W) of float32 as contiguous ones (N, H, W, C); None for others."""
    result = []
    for image in images:
        if type(image) is not np.ndarray or image.dtype != np.float32 or not image.size:
            return None
        laid = image.transpose(0, 2, 3, 1)
        result.append(laid if laid.flags.carray else laid.copy())  # compiled code takes no others
    return result


def filled_lanes(*channels: int) -> bool:
    """Tell whether these numbers of channels fill lanes."""
    return not any(number % LANES for number in channels)


def window_numbers(window: Any) -> Array:
    """Return kernel, stride, dilation and what lies before the image, (4, 2)."""
    return np.array(window[:4], np.int64)
