"""What functions of two operands take."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = ["one_tensor", "tensor_first"]


def tensor_first(name: str, input: Any) -> Tensor:
    """Return the first operand as a Tensor, refusing a number, as PyTorch does.

    Raises:
        TypeError: If it is a number.
    """
    if isinstance(input, int | float):
        raise TypeError(
            f"{name}() takes a Tensor or an array first, got {type(input).__name__} {input}; make "
            "it one with as_tensor()"
        )
    return as_tensor(input)


def one_tensor(name: str, input: Any, other: Any) -> Tensor:
    """Return the first operand as a Tensor, refusing two numbers.

    Raises:
        TypeError: If both are numbers.
    """
    if isinstance(input, int | float) and isinstance(other, int | float):
        raise TypeError(f"{name}() takes at least one Tensor or array, got {input} and {other}")
    return as_tensor(input)
