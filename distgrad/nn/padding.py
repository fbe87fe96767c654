"""Layers that add elements at the ends of the axes behind the channels."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from distgrad.nn import functional
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ZeroPad1d",
    "ZeroPad2d",
]


class _Padding(Module):
    """What the layers share: how much, and in which mode of `functional.pad`."""

    axes: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        given = [padding] * 2 * self.axes if isinstance(padding, int | np.integer) else padding
        if len(given) != 2 * self.axes or not all(isinstance(n, int | np.integer) for n in given):
            names = ("left", "right", "top", "bottom")[: 2 * self.axes]
            raise ValueError(
                f"{type(self).__name__}: padding must be an integer or ({', '.join(names)}), got "
                f"{padding!r}"
            )
        self.padding = tuple(int(n) for n in given)

    def forward(self, input: Tensor) -> Tensor:
        """Return the padded input.

        Raises:
            ValueError: If the input has another number of axes.
        """
        if input.ndim - self.axes not in (1, 2):
            shape = ("(N, C, L) or (C, L)", "(N, C, H, W) or (C, H, W)")[self.axes - 1]
            raise ValueError(
                f"{type(self).__name__}: the input must have shape {shape}, got {input.shape}"
            )
        return functional.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """Return how much is added."""
        return f"{self.padding}"


class _ConstantPadding(_Padding):
    """What the layers share that add one value."""

    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Return the padded input."""
        return functional.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """Return how much is added, and of what."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadding):
    """Elements of one value at both ends of the last axis.

    Args:
        padding: How many; one number, or (left, right).
        value: Their value.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ConstantPad1d((1, 2), 7.0)(dg.ones(1, 2)).tolist()
        [[7.0, 1.0, 1.0, 7.0, 7.0]]
    """

    axes = 1


class ConstantPad2d(_ConstantPadding):
    """Elements of one value around images.

    Args:
        padding: How many; one number, or (left, right, top, bottom).
        value: Their value.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ConstantPad2d((1, 0, 0, 1), 7.0)(dg.ones(1, 1, 1)).tolist()
        [[[7.0, 1.0], [7.0, 7.0]]]
    """

    axes = 2


class _ZeroPadding(_ConstantPadding):
    """What the layers share that add zeros."""

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """Return how much is added."""
        return f"{self.padding}"


class ZeroPad1d(_ZeroPadding):
    """Zeros at both ends of the last axis.

    Args:
        padding: How many; one number, or (left, right).

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ZeroPad1d(1)(dg.ones(1, 2)).tolist()
        [[0.0, 1.0, 1.0, 0.0]]
    """

    axes = 1


class ZeroPad2d(_ZeroPadding):
    """Zeros around images.

    Args:
        padding: How many; one number, or (left, right, top, bottom).

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ZeroPad2d((1, 0, 0, 1))(dg.ones(1, 1, 1)).tolist()
        [[[0.0, 1.0], [0.0, 0.0]]]
    """

    axes = 2


class ReflectionPad1d(_Padding):
    """Signals that turn round at their first and last elements.

    Args:
        padding: How many elements are added, less than there are; one number, or (left, right).

    Shapes:
        input [N, C, L] or [C, L], output [N, C, L'] or [C, L'] with L' = L + left + right.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ReflectionPad1d(2)(dg.tensor([[1.0, 2.0, 3.0]])).tolist()
        [[3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]]
    """

    axes = 1
    mode = "reflect"


class ReflectionPad2d(_Padding):
    """Images that turn round at their first and last rows and columns.

    Args:
        padding: How many are added, less than there are; one number, or (left, right, top, bottom).

    Shapes:
        input [N, C, H, W] or [C, H, W], output [N, C, H', W'] or [C, H', W'] with
        H' = H + top + bottom and W' = W + left + right.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ReflectionPad2d((1, 0, 0, 1))(dg.tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
        [[[2.0, 1.0, 2.0], [4.0, 3.0, 4.0], [2.0, 1.0, 2.0]]]
    """

    axes = 2
    mode = "reflect"


class ReplicationPad1d(_Padding):
    """Signals whose first and last elements are repeated.

    Args:
        padding: How often; one number, or (left, right).

    Shapes:
        input [N, C, L] or [C, L], output [N, C, L'] or [C, L'] with L' = L + left + right.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ReplicationPad1d(2)(dg.tensor([[1.0, 2.0, 3.0]])).tolist()
        [[1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.0]]
    """

    axes = 1
    mode = "replicate"


class ReplicationPad2d(_Padding):
    """Images whose first and last rows and columns are repeated.

    Args:
        padding: How often; one number, or (left, right, top, bottom).

    Shapes:
        input [N, C, H, W] or [C, H, W], output [N, C, H', W'] or [C, H', W'] with
        H' = H + top + bottom and W' = W + left + right.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ReplicationPad2d((1, 0, 0, 1))(dg.tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
        [[[1.0, 1.0, 2.0], [3.0, 3.0, 4.0], [3.0, 3.0, 4.0]]]
    """

    axes = 2
    mode = "replicate"


class CircularPad1d(_Padding):
    """Signals that begin anew at either end.

    Args:
        padding: How many elements are added, at most as many as there are; one number, or
            (left, right).

    Shapes:
        input [N, C, L] or [C, L], output [N, C, L'] or [C, L'] with L' = L + left + right.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.CircularPad1d(2)(dg.tensor([[1.0, 2.0, 3.0]])).tolist()
        [[2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0]]
    """

    axes = 1
    mode = "circular"


class CircularPad2d(_Padding):
    """Images that begin anew at either end of rows and columns.

    Args:
        padding: How many are added, at most as many as there are; one number, or
            (left, right, top, bottom).

    Shapes:
        input [N, C, H, W] or [C, H, W], output [N, C, H', W'] or [C, H', W'] with
        H' = H + top + bottom and W' = W + left + right.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.CircularPad2d((1, 0, 0, 1))(dg.tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
        [[[2.0, 1.0, 2.0], [4.0, 3.0, 4.0], [2.0, 1.0, 2.0]]]
    """

    axes = 2
    mode = "circular"
