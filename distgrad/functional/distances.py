"""Distances between points."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "cdist",
    "dist",
    "renorm",
]


def cdist(
    x1: Any,
    x2: Any,
    p: float = 2.0,
    compute_mode: str | None = None,  # noqa: ARG001 (PyTorch's choice between two ways)
) -> Tensor:
    """Return the distance of each point of one set from each of another.

    Args:
        x1: Points, (..., n, d), of floating-point type.
        x2: Others, (..., m, d), of the same type; axes in front broadcast.
        p: The order of the norm of their differences, 0 to ``inf``. The gradient is 0 where a
            distance is 0.
        compute_mode: Without effect: distances are always taken of differences, which is exact.

    Returns:
        The distances, (..., n, m).

    Raises:
        RuntimeError: If shapes do not fit, data types differ, or ``p`` is negative.

    Example:
        >>> cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]])
        tensor([[5., 1.]])
    """
    first, second = as_tensor(x1), as_tensor(x2)
    first._only_floating("cdist")._one_type("cdist", second)
    if first.ndim < 2 or second.ndim < 2 or first.shape[-1] != second.shape[-1]:
        raise RuntimeError(
            f"cdist() takes points of as many coordinates, (..., n, d) and (..., m, d), got shapes "
            f"{first.shape} and {second.shape}"
        )
    if p < 0:
        raise RuntimeError(f"cdist(): the order p of the norm must not be negative, got {p}")
    differences = first.unsqueeze(-2) - second.unsqueeze(-3)
    return differences._vector_norm(p if differences.shape[-1] else 1, -1, False)


def dist(input: Any, other: Any, p: float = 2) -> Tensor:
    """Return the norm of order ``p`` of the difference of two tensors; shapes broadcast.

    Raises:
        RuntimeError: If the difference is not of floating-point type.

    Example:
        >>> dist(as_tensor([3.0, 1.0]), as_tensor([0.0, 5.0]))
        tensor(5.)
    """
    return as_tensor(input).dist(other, p)


def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Tensor:
    """Return the parts along ``dim`` scaled down where their norm is above ``maxnorm``.

    Args:
        input: At least a matrix, of floating-point type.
        p: The order of the norm, above 0.
        dim: The axis along which the parts lie.
        maxnorm: The largest norm that a part may have, 0 or more.

    Raises:
        RuntimeError: If there is one axis only, or another data type; if ``p`` or ``maxnorm`` is
            too small.

    Example:
        >>> renorm(as_tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1)
        tensor([[0.6000, 0.8000],
                [0.3000, 0.4000]])
    """
    return as_tensor(input).renorm(p, dim, maxnorm)
