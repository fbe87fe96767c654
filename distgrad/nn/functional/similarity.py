"""Lengths, angles and distances of vectors."""

import numpy as np

from distgrad.nn.functional.checks import check_floating
from distgrad.tensor import Tensor, promoted

__all__ = ["cosine_similarity", "normalize", "pairwise_distance"]


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Return the vectors along ``dim`` divided by their norms.

    Args:
        input: Any shape.
        p: The order of the norm.
        dim: The axis of the vectors.
        eps: What a norm below it is taken as.

    Raises:
        RuntimeError: If ``input`` is not of floating-point type.
        IndexError: If there is no such axis.

    Example:
        >>> import distgrad as dg
        >>> normalize(dg.tensor([[3.0, 4.0]]))
        tensor([[0.6000, 0.8000]])
    """
    return input / input.norm(p, dim, keepdim=True).clamp_min(eps)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosines of the angles between the vectors along ``dim``; shapes broadcast.

    Args:
        x1: Vectors.
        x2: The others.
        dim: The axis of the vectors, in the common shape.
        eps: What a length below it is taken as.

    Raises:
        TypeError: If the values are not of floating-point type.
        IndexError: If there is no such axis.

    Example:
        >>> import distgrad as dg
        >>> cosine_similarity(dg.tensor([[1.0, 1.0]]), dg.tensor([[1.0, 0.0]]))
        tensor([0.7071])
    """
    x1, x2 = promoted(x1, x2)
    check_floating("cosine_similarity", x1)
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    x1, x2 = x1.expand(shape), x2.expand(shape)
    return (_directions(x1, dim, eps) * _directions(x2, dim, eps)).sum(dim)


def _directions(x: Tensor, dim: int, eps: float) -> Tensor:
    length = x.norm(2, dim, keepdim=True)
    missing = length.detach().clamp_min(eps) - length.detach()  # not differentiated, as in PyTorch
    return x / (length + missing)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return the norms of ``x1 - x2 + eps`` along the last axis; shapes broadcast.

    Args:
        x1: (..., D)
        x2: (..., D)
        p: The order of the norm.
        eps: Keeps the gradient of equal vectors finite.
        keepdim: Keep the last axis with length 1.

    Raises:
        RuntimeError: If the values are not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> pairwise_distance(dg.tensor([[3.0, 4.0]]), dg.zeros(1, 2))
        tensor([5.0000])
    """
    return (x1 - x2 + eps).norm(p, -1, keepdim)
