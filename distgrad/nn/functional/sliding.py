"""From PyTorch's arguments of convolution and pooling to the `Window` that slides over an image."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from distgrad.ops.window import Window
from distgrad.tensor import Tensor

__all__ = ["IntOrPair", "Pair", "as_pair", "make_window", "on_batch"]

Pair: TypeAlias = tuple[int, int]
IntOrPair: TypeAlias = int | Sequence[int]
"""One number for rows and columns, or one for each."""

_AXES = ("rows", "columns")


def as_pair(function: str, argument: str, value: IntOrPair, least: int) -> Pair:
    """Return the numbers for rows and columns.

    Raises:
        ValueError: If there are not one or two integers, or one is below ``least``.
    """
    numbers = (value, value) if isinstance(value, int | np.integer) else tuple(value)
    if (
        len(numbers) != 2
        or not all(isinstance(n, int | np.integer) for n in numbers)
        or min(numbers) < least
    ):
        raise ValueError(
            f"{function}: {argument} must be an integer or two (rows, columns), {least} or more, "
            f"got {value!r}"
        )
    return int(numbers[0]), int(numbers[1])


def make_window(
    function: str,
    size: Sequence[int],
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
    padding: tuple[Pair, Pair],
    ceil_mode: bool = False,
) -> Window:
    """Return how a kernel slides over an image.

    Args:
        function: The caller's name, for error messages.
        size: Height and width of the image.
        kernel: Height and width of the kernel.
        stride: Step from window to window.
        dilation: Step within a window.
        padding: (above, below) and (left, right).
        ceil_mode: Whether a last window may stand out at the end, if it begins inside.

    Raises:
        ValueError: If no window fits.
    """
    output = []
    for axis in range(2):
        before, after = padding[axis]
        span = dilation[axis] * (kernel[axis] - 1) + 1
        room = size[axis] + before + after - span
        places = (room + (stride[axis] - 1 if ceil_mode else 0)) // stride[axis] + 1
        if ceil_mode and (places - 1) * stride[axis] >= size[axis] + before:
            places -= 1
        if places < 1:
            raise ValueError(
                f"{function}: the window must fit into the padded image, but of {_AXES[axis]} it "
                f"spans {span} = {dilation[axis]} * ({kernel[axis]} - 1) + 1 and there are "
                f"{room + span} = {size[axis]} + {before} + {after}; use a larger image or more "
                "padding"
            )
        output.append(places)
    before_both = (padding[0][0], padding[1][0])
    return Window(kernel, stride, dilation, before_both, (output[0], output[1]))


def on_batch(function: str, input: Tensor, run: Callable[[Tensor], Tensor]) -> Tensor:
    """Run on images (N, C, H, W), or on one image (C, H, W) as a batch of one.

    Raises:
        ValueError: If the input has another number of axes.
    """
    if input.ndim == 4:
        return run(input)
    if input.ndim != 3:
        raise ValueError(
            f"{function}: the input must have shape (N, C, H, W) or (C, H, W), got {input.shape}"
        )
    result = run(input.reshape(1, *input.shape))
    return result.reshape(*result.shape[1:])
