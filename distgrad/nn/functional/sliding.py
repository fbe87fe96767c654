"""From PyTorch's arguments of convolution and pooling to the `Window` that slides over an image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from distgrad.ops.window import Window
from distgrad.tensor import Tensor

__all__ = ["IntOrPair", "IntOrSingle", "Pair", "Sliding"]

Pair: TypeAlias = tuple[int, int]
IntOrPair: TypeAlias = int | Sequence[int]
"""One number for rows and columns, or one for each."""
IntOrSingle: TypeAlias = int | Sequence[int]
"""One number, alone or in a sequence."""

_SHAPES = {1: "(N, C, L) or (C, L)", 2: "(N, C, H, W) or (C, H, W)"}
_NUMBERS = {1: "an integer, alone or in a tuple", 2: "an integer or two (rows, columns)"}
_AXES = {1: ("elements", ""), 2: ("rows", "columns")}


@dataclass(frozen=True)
class Sliding:
    """How a function or layer reads the arguments of its window; its name stands in the messages.

    A signal (N, C, L) is an image (N, C, L, 1): one axis slides as the rows of two.
    """

    function: str
    axes: int

    def sizes(self, argument: str, value: IntOrPair, least: int) -> tuple[int, ...]:
        """Return a number for each axis.

        Raises:
            ValueError: If there are not one or ``axes`` integers, or one is below ``least``.
        """
        numbers = tuple(value) if isinstance(value, Sequence) else (value,)
        if len(numbers) == 1:
            numbers *= self.axes
        if (
            len(numbers) != self.axes
            or not all(isinstance(n, int | np.integer) for n in numbers)
            or min(numbers) < least
        ):
            raise ValueError(
                f"{self.function}: {argument} must be {_NUMBERS[self.axes]}, {least} or more, "
                f"got {value!r}"
            )
        return tuple(int(n) for n in numbers)

    def pair(self, argument: str, value: IntOrPair, least: int) -> Pair:
        """Return the numbers for rows and columns, as `sizes`."""
        rows, *columns = self.sizes(argument, value, least)
        return rows, columns[0] if columns else least

    def window(
        self,
        size: Sequence[int],
        kernel: Pair,
        stride: Pair,
        dilation: Pair,
        padding: tuple[Pair, Pair],
        ceil_mode: bool = False,
    ) -> Window:
        """Return how a kernel slides over an image.

        Args:
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
                    f"{self.function}: the window must fit into the padded image, but of "
                    f"{_AXES[self.axes][axis]} it spans {span} = {dilation[axis]} * "
                    f"({kernel[axis]} - 1) + 1 and there are {room + span} = {size[axis]} + "
                    f"{before} + {after}; use a larger image or more padding"
                )
            output.append(places)
        before_both = (padding[0][0], padding[1][0])
        return Window(kernel, stride, dilation, before_both, (output[0], output[1]))

    def check_shape(self, input: Tensor, filled: bool = False) -> None:
        """Refuse an input of another number of axes, or with nothing but the batch ``filled``.

        Raises:
            ValueError: If the input has another number of axes, or an axis other than that of the
                batch has length 0 and ``filled`` asks for elements.
        """
        if input.ndim - self.axes not in (1, 2):
            raise ValueError(
                f"{self.function}: the input must have shape {_SHAPES[self.axes]}, got "
                f"{input.shape}"
            )
        if filled and 0 in input.shape[-self.axes - 1 :]:
            raise ValueError(
                f"{self.function}: no axis but that of the batch may have length 0, got an input "
                f"of shape {input.shape}"
            )

    def on_batch(self, input: Tensor, run: Callable[[Tensor], Any]) -> Any:
        """Run on images (N, C, H, W), made of what the input holds; the results go back.

        Args:
            input: One image or signal, or a batch of them.
            run: From images to one result, or a tuple of results, of four axes.

        Raises:
            ValueError: If the input has another number of axes.
        """
        self.check_shape(input)
        missing = 2 + self.axes - input.ndim
        if missing or self.axes == 1:
            input = input.reshape((1,) * missing + input.shape + (1,) * (2 - self.axes))
        results = run(input)

        def back(result: Tensor) -> Tensor:
            shape = result.shape[missing : 2 + self.axes]
            return result if shape == result.shape else result.reshape(shape)

        return tuple(map(back, results)) if isinstance(results, tuple) else back(results)
