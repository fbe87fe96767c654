"""The axes in another order; the results share the memory of their input."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = ["moveaxis", "movedim", "permute", "swapaxes", "swapdims", "t", "transpose"]


def transpose(input: Any, dim0: int, dim1: int) -> Tensor:
    """Return the tensor with two axes swapped.

    Example:
        >>> transpose(as_tensor([[1, 2], [3, 4]]), 0, 1)
        tensor([[1, 3],
                [2, 4]])
    """
    return as_tensor(input).transpose(dim0, dim1)


swapaxes = swapdims = transpose


def permute(input: Any, dims: tuple[int, ...]) -> Tensor:
    """Return the tensor with its axes in another order.

    Raises:
        RuntimeError: If ``dims`` does not name each axis once.

    Example:
        >>> import distgrad as dg
        >>> permute(dg.zeros(2, 3, 4), (2, 0, 1)).shape
        (4, 2, 3)
    """
    return as_tensor(input).permute(dims)


def t(input: Any) -> Tensor:
    """Return the transpose of a matrix; a vector or a single number as it is.

    Raises:
        RuntimeError: If there are more than two axes.

    Example:
        >>> t(as_tensor([[1, 2], [3, 4]]))
        tensor([[1, 3],
                [2, 4]])
    """
    return as_tensor(input).t()


def movedim(input: Any, source: Any, destination: Any) -> Tensor:
    """Return the tensor with axes moved to other places; the others keep their order.

    Args:
        input: The tensor.
        source: An axis, or a tuple of them.
        destination: Where each of them goes.

    Raises:
        RuntimeError: If the two name different numbers of axes, or one of them twice.

    Example:
        >>> import distgrad as dg
        >>> movedim(dg.zeros(2, 3, 4), 0, -1).shape
        (3, 4, 2)
    """
    return as_tensor(input).movedim(source, destination)


moveaxis = movedim
