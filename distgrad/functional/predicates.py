"""What kind of number each element is; without gradients."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "signbit",
]


def isnan(input: Any) -> Tensor:
    """Tell for each element whether it is nan.

    Example:
        >>> isnan(as_tensor([1.0, float("nan")]))
        tensor([False,  True])
    """
    return as_tensor(input).isnan()


def isinf(input: Any) -> Tensor:
    """Tell for each element whether it is infinite.

    Example:
        >>> isinf(as_tensor([1.0, -float("inf")]))
        tensor([False,  True])
    """
    return as_tensor(input).isinf()


def isfinite(input: Any) -> Tensor:
    """Tell for each element whether it is neither infinite nor nan.

    Example:
        >>> isfinite(as_tensor([1.0, float("nan"), float("inf")]))
        tensor([ True, False, False])
    """
    return as_tensor(input).isfinite()


def isposinf(input: Any) -> Tensor:
    """Tell for each element whether it is positive and infinite.

    Example:
        >>> isposinf(as_tensor([1.0, float("inf"), -float("inf")]))
        tensor([False,  True, False])
    """
    return as_tensor(input).isposinf()


def isneginf(input: Any) -> Tensor:
    """Tell for each element whether it is negative and infinite.

    Example:
        >>> isneginf(as_tensor([1.0, float("inf"), -float("inf")]))
        tensor([False, False,  True])
    """
    return as_tensor(input).isneginf()


def isreal(input: Any) -> Tensor:
    """Tell for each element whether it is a real number: all are.

    Example:
        >>> isreal(as_tensor([1.0, float("nan")]))
        tensor([True, True])
    """
    return as_tensor(input).isreal()


def signbit(input: Any) -> Tensor:
    """Tell for each element whether its sign is a minus, that of -0.0 too.

    Example:
        >>> signbit(as_tensor([1.0, 0.0, -0.0, -2.0]))
        tensor([False, False,  True,  True])
    """
    return as_tensor(input).signbit()
