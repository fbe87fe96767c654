"""What ``inplace=True`` means: the argument itself gets the result."""

from collections.abc import Callable

from distgrad.tensor import Tensor

__all__ = ["replaced"]


def replaced(input: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Give ``input`` the values of ``function(input)``, recorded as a change in place.

    Raises:
        RuntimeError: If ``input`` is a leaf that requires a gradient, or a view of one, while
            operations are recorded.
    """
    former = input._former() if input._recorded("inplace=True") else None
    result = function(input if former is None else former)
    input._become("inplace=True", result, former)
    return input
