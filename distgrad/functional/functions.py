"""Functions of the elements whose results are of floating-point type; shapes broadcast."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.functional.arguments import one_tensor, tensor_first
from distgrad.tensor import Tensor

__all__ = [
    "acos",
    "asin",
    "atan",
    "atan2",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "reciprocal",
    "rsqrt",
    "sigmoid",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "xlogy",
]


def exp(input: Any) -> Tensor:
    """Return e to the power of each element; integers become float32.

    Example:
        >>> exp([0.0, 1.0])
        tensor([1.    , 2.7183])
    """
    return as_tensor(input).exp()


def exp2(input: Any) -> Tensor:
    """Return 2 to the power of each element; integers become float32.

    Example:
        >>> exp2([0.0, 3.0])
        tensor([1., 8.])
    """
    return as_tensor(input).exp2()


def expm1(input: Any) -> Tensor:
    """Return ``exp(x) - 1``, exact for small elements; integers become float32.

    Example:
        >>> expm1([0.0, 1e-10])
        tensor([0.e+00, 1.e-10])
    """
    return as_tensor(input).expm1()


def log(input: Any) -> Tensor:
    """Return the natural logarithms; integers become float32.

    Example:
        >>> log([1.0, 2.0])
        tensor([0.    , 0.6931])
    """
    return as_tensor(input).log()


def log2(input: Any) -> Tensor:
    """Return the logarithms to base 2; integers become float32.

    Example:
        >>> log2([1.0, 8.0])
        tensor([0., 3.])
    """
    return as_tensor(input).log2()


def log10(input: Any) -> Tensor:
    """Return the logarithms to base 10; integers become float32.

    Example:
        >>> log10([1.0, 1000.0])
        tensor([0., 3.])
    """
    return as_tensor(input).log10()


def log1p(input: Any) -> Tensor:
    """Return ``log(1 + x)``, exact for small elements; integers become float32.

    Example:
        >>> log1p([0.0, 1e-10])
        tensor([0.e+00, 1.e-10])
    """
    return as_tensor(input).log1p()


def sqrt(input: Any) -> Tensor:
    """Return the square roots; integers become float32.

    Example:
        >>> sqrt([4.0, 9.0])
        tensor([2., 3.])
    """
    return as_tensor(input).sqrt()


def rsqrt(input: Any) -> Tensor:
    """Return ``1 / sqrt(x)`` of each element; integers become float32.

    Example:
        >>> rsqrt([4.0, 16.0])
        tensor([0.5 , 0.25])
    """
    return as_tensor(input).rsqrt()


def reciprocal(input: Any) -> Tensor:
    """Return ``1 / x`` of each element; integers become float32.

    Example:
        >>> reciprocal([4.0, -2.0])
        tensor([ 0.25, -0.5 ])
    """
    return as_tensor(input).reciprocal()


def sin(input: Any) -> Tensor:
    """Return the sines; integers become float32.

    Example:
        >>> sin([0.0, 1.0])
        tensor([0.    , 0.8415])
    """
    return as_tensor(input).sin()


def cos(input: Any) -> Tensor:
    """Return the cosines; integers become float32.

    Example:
        >>> cos([0.0, 1.0])
        tensor([1.    , 0.5403])
    """
    return as_tensor(input).cos()


def tan(input: Any) -> Tensor:
    """Return the tangents; integers become float32.

    Example:
        >>> tan([0.0, 1.0])
        tensor([0.    , 1.5574])
    """
    return as_tensor(input).tan()


def asin(input: Any) -> Tensor:
    """Return the angles whose sines are the elements; integers become float32.

    Example:
        >>> asin([0.0, 1.0])
        tensor([0.    , 1.5708])
    """
    return as_tensor(input).asin()


def acos(input: Any) -> Tensor:
    """Return the angles whose cosines are the elements; integers become float32.

    Example:
        >>> acos([0.0, 1.0])
        tensor([1.5708, 0.    ])
    """
    return as_tensor(input).acos()


def atan(input: Any) -> Tensor:
    """Return the angles whose tangents are the elements; integers become float32.

    Example:
        >>> atan([0.0, 1.0])
        tensor([0.    , 0.7854])
    """
    return as_tensor(input).atan()


def sinh(input: Any) -> Tensor:
    """Return the hyperbolic sines; integers become float32.

    Example:
        >>> sinh([0.0, 1.0])
        tensor([0.    , 1.1752])
    """
    return as_tensor(input).sinh()


def cosh(input: Any) -> Tensor:
    """Return the hyperbolic cosines; integers become float32.

    Example:
        >>> cosh([0.0, 1.0])
        tensor([1.    , 1.5431])
    """
    return as_tensor(input).cosh()


def tanh(input: Any) -> Tensor:
    """Return the hyperbolic tangents; integers become float32.

    Example:
        >>> tanh([0.0, 1.0])
        tensor([0.    , 0.7616])
    """
    return as_tensor(input).tanh()


def sigmoid(input: Any) -> Tensor:
    """Return ``1 / (1 + exp(-x))`` of each element; integers become float32.

    Example:
        >>> sigmoid([0.0, 1000.0])
        tensor([0.5, 1. ])
    """
    return as_tensor(input).sigmoid()


def erf(input: Any) -> Tensor:
    """Return the error function of each element; integers become float32.

    Example:
        >>> erf([-10.0, 0.0, 0.5])
        tensor([-1.    ,  0.    ,  0.5205])

    Reference:
        W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
        Computation 23 (1969), 631-637.
    """
    return as_tensor(input).erf()


def erfc(input: Any) -> Tensor:
    """Return ``1 - erf(x)``, exact far to the right too; integers become float32.

    Example:
        >>> erfc([-10.0, 0.0, 0.5])
        tensor([2.    , 1.    , 0.4795])

    Reference:
        W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
        Computation 23 (1969), 631-637.
    """
    return as_tensor(input).erfc()


def atan2(input: Any, other: Any) -> Tensor:
    """Return the angles of the points (other, input), from -pi to pi; shapes broadcast.

    Integers become float32.

    Example:
        >>> atan2(as_tensor([0.0, 1.0]), as_tensor([-1.0, 1.0]))
        tensor([3.1416, 0.7854])
    """
    return tensor_first("atan2", input).atan2(other)


def hypot(input: Any, other: Any) -> Tensor:
    """Return ``sqrt(input**2 + other**2)`` without overflow; shapes broadcast.

    Raises:
        RuntimeError: If neither is of floating-point type.

    Example:
        >>> hypot(as_tensor([3.0]), as_tensor([4.0]))
        tensor([5.])
    """
    return tensor_first("hypot", input).hypot(other)


def logaddexp(input: Any, other: Any) -> Tensor:
    """Return ``log(exp(input) + exp(other))`` without overflow; shapes broadcast.

    Raises:
        RuntimeError: If neither is of floating-point type.

    Example:
        >>> logaddexp(as_tensor([1000.0]), as_tensor([1000.0]))
        tensor([1000.6932])
    """
    return tensor_first("logaddexp", input).logaddexp(other)


def xlogy(input: Any, other: Any) -> Tensor:
    """Return ``input * log(other)``; 0 where ``input`` is 0, unless ``other`` is nan.

    Shapes broadcast; integers become float32.

    Example:
        >>> xlogy(as_tensor([0.0, 1.0]), as_tensor([0.0, 2.0]))
        tensor([0.    , 0.6931])
    """
    return one_tensor("xlogy", input, other).xlogy(other)
