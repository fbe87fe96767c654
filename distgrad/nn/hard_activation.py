"""Activations made of straight pieces."""

from typing import ClassVar

from distgrad.nn import functional
from distgrad.nn.in_place import InPlace
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "ReLU6", "Softshrink", "Threshold"]


class Hardtanh(InPlace):
    """The elements bounded by two numbers.

    Args:
        min_val: The lower bound. Default: -1.
        max_val: The upper bound. Default: 1.
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Raises:
        ValueError: If the upper bound is not above the lower one.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Hardtanh()(dg.tensor([-2.0, 0.5, 2.0])).tolist()
        [-1.0, 0.5, 1.0]
    """

    _arguments: ClassVar[tuple[str, ...]] = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if min_val >= max_val:
            raise ValueError(f"max_val must be above min_val, got {max_val} and {min_val}")
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, bounded."""
        return functional.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """The elements bounded by 0 and 6.

    Args:
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ReLU6()(dg.tensor([-1.0, 3.0, 9.0])).tolist()
        [0.0, 3.0, 6.0]
    """

    _arguments = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)


class Hardsigmoid(InPlace):
    """A line from 0 at -3 to 1 at 3, bounded by both.

    Args:
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Hardsigmoid()(dg.tensor([-5.0, 0.0, 5.0])).tolist()
        [0.0, 0.5, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return numbers from 0 to 1."""
        return functional.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        """Return nothing, as in PyTorch."""
        return ""


class Hardswish(InPlace):
    """Each element times its `Hardsigmoid`.

    Args:
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Hardswish()(dg.tensor([0.0, 1.5, 5.0])).tolist()
        [0.0, 1.125, 5.0]

    Reference:
        A. Howard et al., "Searching for MobileNetV3", ICCV 2019.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the weighted elements."""
        return functional.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        """Return nothing, as in PyTorch."""
        return ""


class Hardshrink(Module):
    """The elements, with 0 in place of those from ``-lambd`` to ``lambd``.

    Args:
        lambd: What counts as small. Default: 0.5.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Hardshrink()(dg.tensor([-2.0, 0.5, 2.0])).tolist()
        [-2.0, 0.0, 2.0]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, the small ones 0."""
        return functional.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Return the argument."""
        return str(self.lambd)


class Softshrink(Module):
    """The elements moved towards 0 by ``lambd``, not beyond it.

    Args:
        lambd: By how much. Default: 0.5.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Softshrink()(dg.tensor([-2.0, 0.5, 2.0])).tolist()
        [-1.5, 0.0, 1.5]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, nearer to 0."""
        return functional.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Return the argument."""
        return str(self.lambd)


class Threshold(InPlace):
    """The elements above a threshold, and a value in place of the others.

    Args:
        threshold: What an element must exceed.
        value: What stands in its place otherwise.
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Threshold(0.5, -3.0)(dg.tensor([-1.0, 0.5, 2.0])).tolist()
        [-3.0, -3.0, 2.0]
    """

    _arguments = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements above the threshold."""
        return functional.threshold(input, self.threshold, self.value, self.inplace)
