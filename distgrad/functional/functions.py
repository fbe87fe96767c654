"""Functions of the elements whose results are of floating-point type; shapes broadcast."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.functional.arguments import one_tensor, tensor_first
from distgrad.tensor import Tensor

__all__ = [
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logit",
    "reciprocal",
    "rsqrt",
    "sigmoid",
    "sqrt",
    "xlogy",
]


def exp(input: Any) -> Tensor:
    """Return e to the power of each element; integers become float32.

    Example:
        >>> exp([0.0, 1.0])
        tensor([1.0000, 2.7183])
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
        tensor([0.0000e+00, 1.0000e-10])
    """
    return as_tensor(input).expm1()


def log(input: Any) -> Tensor:
    """Return the natural logarithms; integers become float32.

    Example:
        >>> log([1.0, 2.0])
        tensor([0.0000, 0.6931])
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
        tensor([0.0000, 3.0000])
    """
    return as_tensor(input).log10()


def log1p(input: Any) -> Tensor:
    """Return ``log(1 + x)``, exact for small elements; integers become float32.

    Example:
        >>> log1p([0.0, 1e-10])
        tensor([0.0000e+00, 1.0000e-10])
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
        tensor([0.5000, 0.2500])
    """
    return as_tensor(input).rsqrt()


def reciprocal(input: Any) -> Tensor:
    """Return ``1 / x`` of each element; integers become float32.

    Example:
        >>> reciprocal([4.0, -2.0])
        tensor([ 0.2500, -0.5000])
    """
    return as_tensor(input).reciprocal()


def sigmoid(input: Any) -> Tensor:
    """Return ``1 / (1 + exp(-x))`` of each element; integers become float32.

    Example:
        >>> sigmoid([0.0, 1000.0])
        tensor([0.5000, 1.0000])
    """
    return as_tensor(input).sigmoid()


def erf(input: Any) -> Tensor:
    """Return the error function of each element; integers become float32.

    Example:
        >>> erf([-10.0, 0.0, 0.5])
        tensor([-1.0000,  0.0000,  0.5205])

    Reference:
        W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
        Computation 23 (1969), 631-637.
    """
    return as_tensor(input).erf()


def erfc(input: Any) -> Tensor:
    """Return ``1 - erf(x)``, exact far to the right too; integers become float32.

    Example:
        >>> erfc([-10.0, 0.0, 0.5])
        tensor([2.0000, 1.0000, 0.4795])

    Reference:
        W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
        Computation 23 (1969), 631-637.
    """
    return as_tensor(input).erfc()


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
        tensor([0.0000, 0.6931])
    """
    return one_tensor("xlogy", input, other).xlogy(other)


def logaddexp2(input: Any, other: Any) -> Tensor:
    """Return ``log2(2**input + 2**other)`` without overflow; shapes broadcast.

    Raises:
        RuntimeError: If neither operand is of floating-point type, or one is a number.

    Example:
        >>> logaddexp2(as_tensor([500.0]), as_tensor([500.0]))
        tensor([501.])
    """
    return tensor_first("logaddexp2", input).logaddexp2(other)


def logit(input: Any, eps: float | None = None) -> Tensor:
    """Return ``log(x / (1 - x))``, the inverse of the sigmoid; integers become float32.

    Args:
        input: Probabilities; outside 0 and 1 the result is nan.
        eps: Elements are moved to the bounds ``eps`` and ``1 - eps`` first. Default: they are not.

    Example:
        >>> logit([0.5, 0.9]), logit([0.0, 1.0], eps=0.1)
        (tensor([0.0000, 2.1972]), tensor([-2.1972,  2.1972]))
    """
    return as_tensor(input).logit(eps)
