"""Linear equations with triangular matrices, factors and tensors; products and exponentials."""

import math
from collections.abc import Sequence
from typing import Any

from distgrad.backend import array_namespace
from distgrad.creation import as_tensor
from distgrad.functional.matrices import inverse, multi_dot, solve
from distgrad.tensor import Tensor

__all__ = [
    "chain_matmul",
    "cholesky_inverse",
    "cholesky_solve",
    "matrix_exp",
    "solve_triangular",
    "tensorinv",
    "tensorsolve",
]


def solve_triangular(
    A: Any,  # noqa: N803 (PyTorch's name)
    B: Any,  # noqa: N803 (PyTorch's name)
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
) -> Tensor:
    """Return the solutions X of ``A @ X = B`` for triangular matrices A.

    Args:
        A: The matrices, (..., n, n), of floating-point type.
        B: The right sides, (..., n, k), of the same type. Axes in front broadcast.
        upper: Whether the upper triangle is meant, or the lower one; the other is not read.
        left: Whether A stands on the left; otherwise ``X @ A = B``.
        unitriangular: Take the diagonal as 1, without reading it.

    Raises:
        LinAlgError: If a diagonal has a 0.
        RuntimeError: If shapes do not fit, data types differ, or are not floating-point ones.

    Example:
        >>> solve_triangular([[2.0, 0.0], [1.0, 1.0]], [[2.0], [3.0]], upper=False)
        tensor([[1.],
                [2.]])
    """
    a, b = as_tensor(A)._square("solve_triangular"), as_tensor(B)
    if b.ndim < 2:
        raise RuntimeError(
            f"solve_triangular() takes matrices B, got shape {b.shape}; unsqueeze a vector"
        )
    a._one_type("solve_triangular", b)
    shift = (1 if upper else -1) if unitriangular else 0
    a = a.triu(shift) if upper else a.tril(shift)
    if unitriangular:
        a = a + Tensor(array_namespace(a.data).eye(a.shape[-1], dtype=a.dtype))
    return solve(a, b, left=left)


def matrix_exp(input: Any) -> Tensor:
    """Return the exponentials ``I + A + A @ A / 2 + ...`` of square matrices.

    Raises:
        RuntimeError: If they are not square, or not of floating-point type.

    Example:
        >>> matrix_exp([[0.0, 1.0], [0.0, 0.0]])
        tensor([[1., 1.],
                [0., 1.]])
    """
    return as_tensor(input).matrix_exp()


def chain_matmul(*matrices: Any) -> Tensor:
    """Return the product of several matrices; see `distgrad.linalg.multi_dot`.

    Example:
        >>> import distgrad as dg
        >>> chain_matmul(dg.ones(1, 2), dg.ones(2, 3), dg.ones(3, 1))
        tensor([[6.]])
    """
    return as_tensor(matrices[0]) if len(matrices) == 1 else multi_dot(matrices)


def cholesky_solve(B: Any, L: Any, upper: bool = False) -> Tensor:  # noqa: N803 (PyTorch's names)
    """Return the solutions X of ``A @ X = B``, given the Cholesky factor of A.

    Args:
        B: The right sides, (..., n, k), of floating-point type.
        L: The factors, (..., n, n): ``L @ L.mT = A``; see `cholesky`.
        upper: Whether they are upper ones, ``L.mT @ L = A``.

    Raises:
        LinAlgError: If a diagonal has a 0.
        RuntimeError: If shapes do not fit, data types differ, or are not floating-point ones.

    Example:
        >>> cholesky_solve([[4.0], [2.0]], [[2.0, 0.0], [1.0, 1.0]])
        tensor([[1.],
                [0.]])
    """
    return as_tensor(B).cholesky_solve(as_tensor(L), upper)


def cholesky_inverse(L: Any, upper: bool = False) -> Tensor:  # noqa: N803 (PyTorch's name)
    """Return the inverses of the matrices whose Cholesky factors are given.

    Args:
        L: The factors, (..., n, n); see `cholesky`.
        upper: Whether they are upper ones.

    Raises:
        RuntimeError: If they are not square, or not of floating-point type.

    Example:
        >>> cholesky_inverse([[2.0, 0.0], [0.0, 1.0]])
        tensor([[0.2500, 0.0000],
                [0.0000, 1.0000]])
    """
    return as_tensor(L).cholesky_inverse(upper)


def tensorinv(A: Any, ind: int = 2) -> Tensor:  # noqa: N803 (PyTorch's name)
    """Return the inverse of `distgrad.tensordot` with ``A`` over its last axes.

    Args:
        A: Whose first ``ind`` lengths multiply to what the others multiply to.
        ind: How many axes are those of the result's end.

    Raises:
        RuntimeError: If ``ind`` is not above 0, or lengths do not fit.
        LinAlgError: If there is no inverse.

    Example:
        >>> import distgrad as dg
        >>> tensorinv(dg.ones(1, 1, 1)).shape
        (1, 1, 1)
    """
    x = as_tensor(A)
    first, rest = x.shape[:ind], x.shape[ind:]
    if ind <= 0 or math.prod(first) != math.prod(rest):
        raise RuntimeError(
            f"tensorinv() takes lengths that multiply to the same before and behind ind={ind}, "
            f"which is above 0, got shape {x.shape}"
        )
    n = math.prod(first)
    return inverse(x.reshape(n, n)).reshape(*rest, *first)


def tensorsolve(A: Any, B: Any, dims: Sequence[int] | None = None) -> Tensor:  # noqa: N803
    """Return the X with ``distgrad.tensordot(A, X, X.ndim) = B``.

    Args:
        A: Whose shape begins with that of B; the rest is that of X.
        B: The right side.
        dims: Axes of A that are moved to its end first.

    Raises:
        RuntimeError: If shapes do not fit.
        LinAlgError: If there is no solution.

    Example:
        >>> tensorsolve([[2.0, 0.0], [0.0, 4.0]], [1.0, 1.0])
        tensor([0.5000, 0.2500])
    """
    a, b = as_tensor(A), as_tensor(B)
    if dims is not None:
        a = a.movedim(tuple(dims), tuple(range(a.ndim - len(dims), a.ndim)))
    shape = a.shape[b.ndim :]
    n = math.prod(shape)
    if n != b.numel() or n * n != a.numel():
        raise RuntimeError(
            f"tensorsolve() takes A of B's {b.numel()} elements squared, its shape that of B and "
            f"then that of X, got shapes {a.shape} and {b.shape}"
        )
    return solve(a.reshape(n, n), b.reshape(n)).reshape(shape)
