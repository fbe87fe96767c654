"""A tensor plus a product of others, with factors for both."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = ["addbmm", "addmm", "addmv", "addr", "baddbmm"]


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * input + alpha * mat1 @ mat2``.

    Args:
        input: What is added to; it broadcasts to the shape of the product.
        mat1: A matrix.
        mat2: Another one.
        beta: The factor of ``input``; with 0, no nan or infinity of it comes into the result.
        alpha: The factor of the product. For whole numbers both lose their fractions.

    Raises:
        RuntimeError: If shapes do not fit, or data types differ.

    Example:
        >>> addmm(as_tensor([1, 1]), as_tensor([[1, 2]]), as_tensor([[1, 0], [0, 1]]), beta=3)
        tensor([[4, 5]])
    """
    return as_tensor(input).addmm(as_tensor(mat1), as_tensor(mat2), beta=beta, alpha=alpha)


def addmv(input: Any, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * input + alpha * mat @ vec``; see `addmm`.

    Example:
        >>> addmv(as_tensor([1, 1]), as_tensor([[1, 2], [3, 4]]), as_tensor([1, 1]))
        tensor([4, 8])
    """
    return as_tensor(input).addmv(as_tensor(mat), as_tensor(vec), beta=beta, alpha=alpha)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * input + alpha * outer(vec1, vec2)``; see `addmm`.

    Data types may differ here, and with whole numbers a factor that has a fraction is refused.

    Example:
        >>> addr(as_tensor([[0, 1], [1, 0]]), as_tensor([1, 2]), as_tensor([3, 4]))
        tensor([[3, 5],
                [7, 8]])
    """
    return as_tensor(input).addr(as_tensor(vec1), as_tensor(vec2), beta=beta, alpha=alpha)


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * input + alpha * bmm(batch1, batch2)``; see `addmm`.

    Example:
        >>> import distgrad as dg
        >>> baddbmm(dg.ones(1), dg.ones(2, 3, 4), dg.ones(2, 4, 5))[1, 0]
        tensor([5., 5., 5., 5., 5.])
    """
    return as_tensor(input).baddbmm(as_tensor(batch1), as_tensor(batch2), beta=beta, alpha=alpha)


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return ``beta * input + alpha * bmm(batch1, batch2).sum(0)``; see `addmm`.

    Example:
        >>> import distgrad as dg
        >>> addbmm(dg.ones(1), dg.ones(2, 3, 4), dg.ones(2, 4, 5))[0]
        tensor([9., 9., 9., 9., 9.])
    """
    return as_tensor(input).addbmm(as_tensor(batch1), as_tensor(batch2), beta=beta, alpha=alpha)
