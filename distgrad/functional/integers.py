"""Bits, and divisors of whole numbers; shapes broadcast, and none has a gradient."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.functional.arguments import one_tensor, tensor_first
from distgrad.tensor import Tensor

__all__ = [
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "gcd",
    "lcm",
]


def bitwise_and(input: Any, other: Any) -> Tensor:
    """Return the bits that are set in both; of truth values `logical_and`.

    Raises:
        RuntimeError: If an operand is of floating-point type.

    Example:
        >>> bitwise_and(as_tensor([6, 5]), 3)
        tensor([2, 1])
    """
    return one_tensor("bitwise_and", input, other).bitwise_and(other)


def bitwise_or(input: Any, other: Any) -> Tensor:
    """Return the bits that are set in one of both, or in both; of truth values `logical_or`.

    Raises:
        RuntimeError: If an operand is of floating-point type.

    Example:
        >>> bitwise_or(as_tensor([6, 5]), 3)
        tensor([7, 7])
    """
    return one_tensor("bitwise_or", input, other).bitwise_or(other)


def bitwise_xor(input: Any, other: Any) -> Tensor:
    """Return the bits that are set in exactly one of both; of truth values `logical_xor`.

    Raises:
        RuntimeError: If an operand is of floating-point type.

    Example:
        >>> bitwise_xor(as_tensor([6, 5]), 3)
        tensor([5, 6])
    """
    return one_tensor("bitwise_xor", input, other).bitwise_xor(other)


def bitwise_not(input: Any) -> Tensor:
    """Return the other bits; of truth values `logical_not`.

    Raises:
        RuntimeError: If the elements are of floating-point type.

    Example:
        >>> bitwise_not(as_tensor([0, 5]))
        tensor([-1, -6])
    """
    return as_tensor(input).bitwise_not()


def bitwise_left_shift(input: Any, other: Any) -> Tensor:
    """Return the bits of ``input`` moved to the left by ``other`` places: ``input << other``.

    Raises:
        RuntimeError: If an operand does not consist of whole numbers.

    Example:
        >>> bitwise_left_shift(as_tensor([1, 5]), 2)
        tensor([ 4, 20])
    """
    return one_tensor("bitwise_left_shift", input, other).bitwise_left_shift(other)


def bitwise_right_shift(input: Any, other: Any) -> Tensor:
    """Return the bits of ``input`` moved to the right by ``other`` places: ``input >> other``.

    Raises:
        RuntimeError: If an operand does not consist of whole numbers.

    Example:
        >>> bitwise_right_shift(as_tensor([4, -5]), 1)
        tensor([ 2, -3])
    """
    return one_tensor("bitwise_right_shift", input, other).bitwise_right_shift(other)


def gcd(input: Any, other: Any) -> Tensor:
    """Return the greatest common divisors of whole numbers.

    Raises:
        RuntimeError: If an operand does not consist of whole numbers.
        TypeError: If one of the two is a number.

    Example:
        >>> gcd(as_tensor([12, 9]), as_tensor([8, 6]))
        tensor([4, 3])
    """
    return tensor_first("gcd", input).gcd(other)


def lcm(input: Any, other: Any) -> Tensor:
    """Return the least common multiples of whole numbers; 0 where one of both is 0.

    Raises:
        RuntimeError: If an operand does not consist of whole numbers.
        TypeError: If one of the two is a number.

    Example:
        >>> lcm(as_tensor([4, 9]), as_tensor([6, 6]))
        tensor([12, 18])
    """
    return tensor_first("lcm", input).lcm(other)
