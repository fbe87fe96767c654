"""Inverses, determinants, factors and powers of square matrices, which stand in the last two axes.

Axes in front of them number the matrices.
"""

from collections.abc import Sequence
from typing import Any

from distgrad import ops
from distgrad.creation import as_tensor
from distgrad.tensor import SignAndLog, Tensor

__all__ = [
    "cholesky",
    "det",
    "inverse",
    "logdet",
    "matrix_power",
    "multi_dot",
    "slogdet",
    "solve",
]


def inverse(input: Any) -> Tensor:
    """Return the inverses of matrices of floating-point type.

    Raises:
        LinAlgError: If a matrix is singular.
        RuntimeError: If they are not square, or not of floating-point type.

    Example:
        >>> inverse([[2.0, 0.0], [0.0, 4.0]])
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    return as_tensor(input).inverse()


def det(input: Any) -> Tensor:
    """Return the determinants; their first two gradients are exact for singular matrices too.

    Raises:
        RuntimeError: If the matrices are not square, or not of floating-point type.

    Example:
        >>> det([[2.0, 1.0], [0.0, 4.0]])
        tensor(8.)
    """
    return as_tensor(input).det()


def slogdet(input: Any) -> SignAndLog:
    """Return (sign, logabsdet) of the determinants, without overflow; 0 and -inf of singular ones.

    Raises:
        RuntimeError: If the matrices are not square, or not of floating-point type.

    Example:
        >>> slogdet([[0.0, 1.0], [1.0, 0.0]])
        SignAndLog(sign=tensor(-1.), logabsdet=tensor(0.))
    """
    return as_tensor(input).slogdet()


def logdet(input: Any) -> Tensor:
    """Return the logarithms of the determinants: nan of negative ones, -inf of 0.

    Raises:
        RuntimeError: If the matrices are not square, or not of floating-point type.

    Example:
        >>> logdet([[1.0, 1.0], [0.0, 1.0]])
        tensor(0.)
    """
    return as_tensor(input).logdet()


def cholesky(input: Any, upper: bool = False) -> Tensor:
    """Return the triangular factors of symmetric positive definite matrices.

    Args:
        input: The matrices, (..., n, n), of floating-point type. Of one that is not symmetric, the
            mean with its transpose is taken.
        upper: The upper factor U with ``U.mT @ U`` in place of the lower L with ``L @ L.mT``.

    Raises:
        LinAlgError: If a matrix is not positive definite.
        RuntimeError: If they are not square, or not of floating-point type.

    Example:
        >>> cholesky([[4.0, 2.0], [2.0, 2.0]])
        tensor([[2., 0.],
                [1., 1.]])
    """
    return as_tensor(input).cholesky(upper)


def matrix_power(input: Any, n: int) -> Tensor:
    """Return the product of ``n`` times the matrix; of its inverse where ``n`` is negative.

    Raises:
        LinAlgError: If ``n`` is negative and a matrix singular.
        RuntimeError: If the matrices are not square; or ``n`` is negative, and they are not of
            floating-point type.
        TypeError: If ``n`` is not a whole number.

    Example:
        >>> matrix_power(as_tensor([[1, 1], [0, 1]]), 5)
        tensor([[1, 5],
                [0, 1]])
    """
    return as_tensor(input).matrix_power(n)


def solve(A: Any, B: Any, *, left: bool = True) -> Tensor:  # noqa: N803 (PyTorch's names)
    """Return the solutions X of ``A @ X = B``.

    Args:
        A: The matrices, (..., n, n), of floating-point type.
        B: The right sides, (..., n, k), or vectors, (n,) or as many as there are matrices; of the
            same type. Axes in front broadcast.
        left: Whether A stands on the left; otherwise ``X @ A = B``.

    Raises:
        LinAlgError: If a matrix is singular.
        RuntimeError: If shapes do not fit, data types differ, or are not floating-point ones.

    Example:
        >>> solve([[2.0, 0.0], [0.0, 4.0]], [1.0, 1.0])
        tensor([0.5000, 0.2500])
    """
    a, b = as_tensor(A)._square("solve"), as_tensor(B)
    a._one_type("solve", b)
    vector = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    if vector and not left:
        raise RuntimeError("solve() with left=False takes matrices B, got vectors; unsqueeze them")
    b = b.unsqueeze(-1) if vector else b
    if b.ndim < 2 or b.shape[-2 if left else -1] != a.shape[-1]:
        raise RuntimeError(
            f"solve() takes B with {a.shape[-1]} {'rows' if left else 'columns'}, as A of shape "
            f"{a.shape} has, got shape {b.shape}"
        )
    a, b = (a, b) if left else (a.mT, b.mT)
    result = a._solved("solve", "is singular", ops.solve, b)
    if vector:
        return result.squeeze(-1)
    return result if left else result.mT


def multi_dot(tensors: Sequence[Any]) -> Tensor:
    """Return the product of several matrices, in the order that costs least.

    Args:
        tensors: Two or more matrices; the first may be a row and the last a column, as vectors.

    Raises:
        RuntimeError: If there are fewer than two, or their shapes do not fit.

    Example:
        >>> import distgrad as dg
        >>> multi_dot([dg.ones(2, 3), dg.ones(3, 4), dg.ones(4)])
        tensor([12., 12.])
    """
    given = [as_tensor(x) for x in tensors]
    if len(given) < 2:
        raise RuntimeError(f"multi_dot() takes two matrices or more, got {len(given)}")
    chain = [
        given[0].unsqueeze(0) if given[0].ndim == 1 else given[0],
        *given[1:-1],
        given[-1].unsqueeze(1) if given[-1].ndim == 1 else given[-1],
    ]
    if any(x.ndim != 2 for x in chain):
        raise RuntimeError(
            "multi_dot() takes matrices, the first and the last may be vectors, got shapes "
            f"{[x.shape for x in given]}"
        )
    result = _product(chain, _cheapest(chain), 0, len(chain) - 1)
    shape = [
        n for x, n in ((given[0], result.shape[0]), (given[-1], result.shape[1])) if x.ndim > 1
    ]
    return result.reshape(shape)


def _cheapest(chain: Sequence[Tensor]) -> dict[tuple[int, int], int]:
    """Return for each part of a chain where to cut it for the fewest multiplications.

    T. Cormen et al., "Introduction to Algorithms", the section on matrix-chain multiplication.
    """
    sizes = [chain[0].shape[0], *(x.shape[1] for x in chain)]
    costs = {(i, i): 0 for i in range(len(chain))}
    cuts: dict[tuple[int, int], int] = {}
    for length in range(1, len(chain)):
        for i in range(len(chain) - length):
            j = i + length
            found = [
                (costs[i, k] + costs[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            costs[i, j], cuts[i, j] = min(found)
    return cuts


def _product(chain: Sequence[Tensor], cuts: dict[tuple[int, int], int], i: int, j: int) -> Tensor:
    if i == j:
        return chain[i]
    cut = cuts[i, j]
    return _product(chain, cuts, i, cut).matmul(_product(chain, cuts, cut + 1, j))
