"""Pooling layers that take the largest element of each window, and those that put it back."""

from collections.abc import Sequence
from typing import Any, ClassVar

from distgrad.nn import functional
from distgrad.nn.functional.sliding import IntOrPair, Sliding
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["MaxPool1d", "MaxPool2d", "MaxUnpool1d", "MaxUnpool2d"]


class _MaxPool(Module):
    """What the layers of the largest elements share."""

    def __init__(
        self,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        padding: IntOrPair = 0,
        dilation: IntOrPair = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _arguments(self) -> tuple[Any, ...]:
        """Return what the function takes behind its input."""
        window = self.kernel_size, self.stride, self.padding, self.dilation
        return *window, self.ceil_mode, self.return_indices

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest element of each window of each channel.

    Args:
        kernel_size: Length of the window.
        stride: Step from window to window. Default: the kernel size.
        padding: How far windows stand out on both sides. Default: 0.
        dilation: Step within a window. Default: 1.
        return_indices: Whether a second tensor says where each element lies; `MaxUnpool1d` takes
            it. Default: False.
        ceil_mode: Whether a last window may stand out further, if it begins inside.

    Shapes:
        input [N, C, L] or [C, L], output [N, C, L'] or [C, L'], as in `functional.max_pool1d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.MaxPool1d(2)(dg.tensor([[1.0, 3.0, 2.0, 0.0]])).tolist()
        [[3.0, 2.0]]
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and their places where these are asked for."""
        return functional.max_pool1d(input, *self._arguments())


class MaxPool2d(_MaxPool):
    """The largest element of each window of each channel.

    Args:
        kernel_size: Height and width of the window; one number, or (rows, columns).
        stride: Step from window to window. Default: the kernel size.
        padding: How far windows stand out on both sides. Default: 0.
        dilation: Step within a window. Default: 1.
        return_indices: Whether a second tensor says where each element lies; `MaxUnpool2d` takes
            it. Default: False.
        ceil_mode: Whether a last window may stand out further, if it begins inside.

    Shapes:
        input [N, C, H, W] or [C, H, W], output [N, C, H', W'] or [C, H', W'], as in
        `functional.max_pool2d`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.MaxPool2d(2)(dg.arange(16.0).reshape(1, 4, 4)).tolist()
        [[[5.0, 7.0], [13.0, 15.0]]]
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and their places where these are asked for."""
        return functional.max_pool2d(input, *self._arguments())


class _MaxUnpool(Module):
    """What the layers that undo `MaxPool1d` and `MaxPool2d` share."""

    axes: ClassVar[int]

    def __init__(
        self, kernel_size: IntOrPair, stride: IntOrPair | None = None, padding: IntOrPair = 0
    ) -> None:
        super().__init__()
        slide = Sliding(type(self).__name__, self.axes)
        self.kernel_size = slide.sizes("kernel_size", kernel_size, least=1)
        self.stride = slide.sizes("stride", kernel_size if stride is None else stride, least=1)
        self.padding = slide.sizes("padding", padding, least=0)

    def extra_repr(self) -> str:
        """Return the window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Zeros, with each element where `MaxPool1d` took it from.

    Args:
        kernel_size: As it was given to `MaxPool1d`.
        stride: The same. Default: the kernel size.
        padding: The same. Default: 0.

    Shapes:
        input and indices [N, C, L] or [C, L], output [N, C, L'] or [C, L'], as in
        `functional.max_unpool1d`.

    Example:
        >>> import distgrad as dg
        >>> x = dg.tensor([[1.0, 3.0, 2.0, 0.0]])
        >>> dg.nn.MaxUnpool1d(2)(*dg.nn.MaxPool1d(2, return_indices=True)(x)).tolist()
        [[0.0, 3.0, 2.0, 0.0]]
    """

    axes = 1

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """Return the signals."""
        window = self.kernel_size, self.stride, self.padding
        return functional.max_unpool1d(input, indices, *window, output_size)


class MaxUnpool2d(_MaxUnpool):
    """Zeros, with each element where `MaxPool2d` took it from.

    Args:
        kernel_size: As it was given to `MaxPool2d`.
        stride: The same. Default: the kernel size.
        padding: The same. Default: 0.

    Shapes:
        input and indices [N, C, H, W] or [C, H, W], output [N, C, H', W'] or [C, H', W'], as in
        `functional.max_unpool2d`.

    Example:
        >>> import distgrad as dg
        >>> x = dg.tensor([[[1.0, 3.0], [2.0, 0.0]]])
        >>> dg.nn.MaxUnpool2d(2)(*dg.nn.MaxPool2d(2, return_indices=True)(x)).tolist()
        [[[0.0, 3.0], [0.0, 0.0]]]
    """

    axes = 2

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """Return the images."""
        window = self.kernel_size, self.stride, self.padding
        return functional.max_unpool2d(input, indices, *window, output_size)
