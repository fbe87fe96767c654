"""Functions of angles, circular and hyperbolic, and their inverses; shapes broadcast."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.functional.arguments import tensor_first
from distgrad.tensor import Tensor

__all__ = [
    "acos",
    "acosh",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "hypot",
    "rad2deg",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]


def acos(input: Any) -> Tensor:
    """Return the angles whose cosines are the elements; integers become float32.

    Example:
        >>> acos([0.0, 1.0])
        tensor([1.5708, 0.0000])
    """
    return as_tensor(input).acos()


arccos = acos


def asin(input: Any) -> Tensor:
    """Return the angles whose sines are the elements; integers become float32.

    Example:
        >>> asin([0.0, 1.0])
        tensor([0.0000, 1.5708])
    """
    return as_tensor(input).asin()


arcsin = asin


def atan(input: Any) -> Tensor:
    """Return the angles whose tangents are the elements; integers become float32.

    Example:
        >>> atan([0.0, 1.0])
        tensor([0.0000, 0.7854])
    """
    return as_tensor(input).atan()


arctan = atan


def atan2(input: Any, other: Any) -> Tensor:
    """Return the angles of the points (other, input), from -pi to pi; shapes broadcast.

    Integers become float32.

    Example:
        >>> atan2(as_tensor([0.0, 1.0]), as_tensor([-1.0, 1.0]))
        tensor([3.1416, 0.7854])
    """
    return tensor_first("atan2", input).atan2(other)


arctan2 = atan2


def cos(input: Any) -> Tensor:
    """Return the cosines; integers become float32.

    Example:
        >>> cos([0.0, 1.0])
        tensor([1.0000, 0.5403])
    """
    return as_tensor(input).cos()


def cosh(input: Any) -> Tensor:
    """Return the hyperbolic cosines; integers become float32.

    Example:
        >>> cosh([0.0, 1.0])
        tensor([1.0000, 1.5431])
    """
    return as_tensor(input).cosh()


def hypot(input: Any, other: Any) -> Tensor:
    """Return ``sqrt(input**2 + other**2)`` without overflow; shapes broadcast.

    Raises:
        RuntimeError: If neither is of floating-point type.

    Example:
        >>> hypot(as_tensor([3.0]), as_tensor([4.0]))
        tensor([5.])
    """
    return tensor_first("hypot", input).hypot(other)


def sin(input: Any) -> Tensor:
    """Return the sines; integers become float32.

    Example:
        >>> sin([0.0, 1.0])
        tensor([0.0000, 0.8415])
    """
    return as_tensor(input).sin()


def sinh(input: Any) -> Tensor:
    """Return the hyperbolic sines; integers become float32.

    Example:
        >>> sinh([0.0, 1.0])
        tensor([0.0000, 1.1752])
    """
    return as_tensor(input).sinh()


def tan(input: Any) -> Tensor:
    """Return the tangents; integers become float32.

    Example:
        >>> tan([0.0, 1.0])
        tensor([0.0000, 1.5574])
    """
    return as_tensor(input).tan()


def tanh(input: Any) -> Tensor:
    """Return the hyperbolic tangents; integers become float32.

    Example:
        >>> tanh([0.0, 1.0])
        tensor([0.0000, 0.7616])
    """
    return as_tensor(input).tanh()


def asinh(input: Any) -> Tensor:
    """Return the numbers whose hyperbolic sines are the elements; integers become float32.

    Example:
        >>> asinh([0.0, 1.0])
        tensor([0.0000, 0.8814])
    """
    return as_tensor(input).asinh()


arcsinh = asinh


def acosh(input: Any) -> Tensor:
    """Return the numbers from 0 on whose hyperbolic cosines are the elements; below 1 it is nan.

    Integers become float32.

    Example:
        >>> acosh([1.0, 2.0])
        tensor([0.0000, 1.3170])
    """
    return as_tensor(input).acosh()


arccosh = acosh


def atanh(input: Any) -> Tensor:
    """Return the numbers whose hyperbolic tangents are the elements; integers become float32.

    Example:
        >>> atanh([0.0, 0.5])
        tensor([0.0000, 0.5493])
    """
    return as_tensor(input).atanh()


arctanh = atanh


def sinc(input: Any) -> Tensor:
    """Return ``sin(pi x) / (pi x)`` of each element, 1 at 0; integers become float32.

    Example:
        >>> sinc([0.0, 0.5])
        tensor([1.0000, 0.6366])
    """
    return as_tensor(input).sinc()


def deg2rad(input: Any) -> Tensor:
    """Return angles in degrees as radians; integers become float32.

    Example:
        >>> deg2rad([180.0, -90.0])
        tensor([ 3.1416, -1.5708])
    """
    return as_tensor(input).deg2rad()


def rad2deg(input: Any) -> Tensor:
    """Return angles in radians as degrees; integers become float32.

    Example:
        >>> rad2deg([0.0, 3.1415927])
        tensor([  0., 180.])
    """
    return as_tensor(input).rad2deg()


def angle(input: Any) -> Tensor:
    """Return the angles of numbers in the complex plane: 0, or pi of negative ones.

    Integers become float32; of nan it is nan; the gradient is 0.

    Example:
        >>> angle([2.0, -2.0])
        tensor([0.0000, 3.1416])
    """
    return as_tensor(input).angle()
