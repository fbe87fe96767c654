"""Arithmetic: sums, products, quotients, powers; shapes broadcast."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.functional.arguments import one_tensor, tensor_first
from distgrad.tensor import Tensor

__all__ = [
    "abs",
    "absolute",
    "add",
    "addcdiv",
    "addcmul",
    "div",
    "divide",
    "float_power",
    "floor_divide",
    "fmod",
    "ldexp",
    "lerp",
    "mul",
    "multiply",
    "neg",
    "negative",
    "positive",
    "pow",
    "remainder",
    "rsub",
    "square",
    "sub",
    "subtract",
    "true_divide",
]


def add(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Return ``input + alpha * other``; shapes broadcast.

    Raises:
        RuntimeError: If ``alpha`` is not whole for operands of whole numbers.

    Example:
        >>> add(as_tensor([1.0, 2.0]), 1)
        tensor([2., 3.])
    """
    return as_tensor(input).add(other, alpha=alpha)


def sub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Return ``input - alpha * other``; shapes broadcast.

    Raises:
        RuntimeError: If an operand holds truth values, or ``alpha`` is not whole for operands of
            whole numbers.

    Example:
        >>> sub(as_tensor([1.0, 2.0]), 1, alpha=3)
        tensor([-2., -1.])
    """
    return as_tensor(input).sub(other, alpha=alpha)


subtract = sub


def rsub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Return ``other - alpha * input``; errors are those of `sub`.

    Example:
        >>> rsub(as_tensor([1.0, 2.0]), 1)
        tensor([ 0., -1.])
    """
    return tensor_first("rsub", input).rsub(other, alpha=alpha)


def mul(input: Any, other: Any) -> Tensor:
    """Return ``input * other``; shapes broadcast.

    Example:
        >>> mul(as_tensor([1.0, 2.0]), 3)
        tensor([3., 6.])
    """
    return as_tensor(input).mul(other)


multiply = mul


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """Return ``input / other``; shapes broadcast.

    Args:
        input: The dividend.
        other: The divisor.
        rounding_mode: None for the quotient itself, where integers become float32; "trunc" to round
            it towards 0, "floor" to round it down, where integers stay integers.

    Raises:
        ValueError: If ``rounding_mode`` is another one.
        RuntimeError: If integers are divided by 0 with rounding.

    Example:
        >>> div(as_tensor([-7, 7]), 2), div(as_tensor([-7, 7]), 2, rounding_mode="floor")
        (tensor([-3.5000,  3.5000]), tensor([-4,  3]))
    """
    return as_tensor(input).div(other, rounding_mode=rounding_mode)


divide = true_divide = div


def floor_divide(input: Any, other: Any) -> Tensor:
    """Return ``input // other``, the quotient rounded down.

    Raises:
        RuntimeError: If integers are divided by 0.

    Example:
        >>> floor_divide(as_tensor([-7, 7]), 2)
        tensor([-4,  3])
    """
    return as_tensor(input).floor_divide(other)


def remainder(input: Any, other: Any) -> Tensor:
    """Return ``input % other``: what the quotient rounded down leaves, with the divisor's sign.

    Raises:
        RuntimeError: If integers are divided by 0.

    Example:
        >>> remainder(as_tensor([-7, 7]), 4)
        tensor([1, 3])
    """
    return one_tensor("remainder", input, other).remainder(other)


def fmod(input: Any, other: Any) -> Tensor:
    """Return what the quotient rounded towards 0 leaves, with the dividend's sign.

    Raises:
        RuntimeError: If integers are divided by 0.

    Example:
        >>> fmod(as_tensor([-7, 7]), 4)
        tensor([-3,  3])
    """
    return tensor_first("fmod", input).fmod(other)


def pow(input: Any, exponent: Any) -> Tensor:
    """Return ``input ** exponent``; shapes broadcast, and one of the two may be a number.

    Raises:
        TypeError: If both are numbers.
        ValueError: If an integer is raised to a negative integer.

    Example:
        >>> pow(2, as_tensor([1.0, 3.0]))
        tensor([2., 8.])
    """
    if hasattr(exponent, "dtype") and not hasattr(input, "dtype"):
        return as_tensor(exponent).__rpow__(input)
    return one_tensor("pow", input, exponent).pow(exponent)


def square(input: Any) -> Tensor:
    """Return the squares.

    Example:
        >>> square(as_tensor([-3.0, 2.0]))
        tensor([9., 4.])
    """
    return as_tensor(input).square()


def neg(input: Any) -> Tensor:
    """Return ``-input``.

    Example:
        >>> neg(as_tensor([1.0, -2.0]))
        tensor([-1.,  2.])
    """
    return as_tensor(input).neg()


negative = neg


def abs(input: Any) -> Tensor:
    """Return the absolute values; the gradient at 0 is 0.

    Example:
        >>> abs(as_tensor([1.0, -2.0]))
        tensor([1., 2.])
    """
    return as_tensor(input).abs()


absolute = abs


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """Return ``input + value * tensor1 * tensor2``; shapes broadcast.

    Example:
        >>> addcmul(as_tensor([1.0, 2.0]), as_tensor(3.0), as_tensor(4.0), value=0.5)
        tensor([7., 8.])
    """
    return as_tensor(input).addcmul(as_tensor(tensor1), as_tensor(tensor2), value=value)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """Return ``input + value * tensor1 / tensor2``; shapes broadcast.

    Raises:
        RuntimeError: If neither ``tensor1`` nor ``tensor2`` is of floating-point type.

    Example:
        >>> addcdiv(as_tensor([1.0, 2.0]), as_tensor(3.0), as_tensor(4.0), value=2)
        tensor([2.5000, 3.5000])
    """
    return as_tensor(input).addcdiv(as_tensor(tensor1), as_tensor(tensor2), value=value)


def lerp(input: Any, end: Any, weight: Any) -> Tensor:
    """Return ``input + weight * (end - input)``; shapes broadcast.

    Args:
        input: Where the way begins, of floating-point type.
        end: Where it ends, of the same data type.
        weight: How much of the way is gone: a number, or values of that type.

    Raises:
        RuntimeError: If the data types differ, or are not of floating-point type.

    Example:
        >>> lerp(as_tensor([1.0, 2.0]), as_tensor([3.0, 3.0]), 0.5)
        tensor([2.0000, 2.5000])
    """
    return as_tensor(input).lerp(as_tensor(end), weight)


def positive(input: Any) -> Tensor:
    """Return ``+input``: the tensor itself.

    Raises:
        RuntimeError: If it holds truth values.

    Example:
        >>> positive(as_tensor([1.0, -2.0]))
        tensor([ 1., -2.])
    """
    return as_tensor(input).positive()


def float_power(input: Any, exponent: Any) -> Tensor:
    """Return ``input ** exponent`` in float64; one of the two may be a number.

    Raises:
        TypeError: If both are numbers.

    Example:
        >>> float_power(as_tensor([2, 4]), -1)
        tensor([0.5000, 0.2500], dtype=float64)
    """
    return one_tensor("float_power", input, exponent).float_power(exponent)


def ldexp(input: Any, other: Any) -> Tensor:
    """Return ``input * 2**other``; shapes broadcast, integers become float32.

    Raises:
        TypeError: If one of the two is a number.

    Example:
        >>> ldexp(as_tensor([1.0, 3.0]), as_tensor([2, -1]))
        tensor([4.0000, 1.5000])
    """
    return tensor_first("ldexp", input).ldexp(other)
