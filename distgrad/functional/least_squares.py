"""Pseudo-inverses, ranks, and equations that have no solution or many."""

from typing import Any, NamedTuple

import numpy as np

from distgrad import ops
from distgrad.backend import array_namespace, to_host
from distgrad.backend.bfloat16 import limits
from distgrad.backend.lacking import largest
from distgrad.creation import as_tensor
from distgrad.functional.decompositions import matrices
from distgrad.tensor import Tensor, apply

__all__ = [
    "LeastSquares",
    "lstsq",
    "matrix_rank",
    "pinv",
    "pinverse",
]


class LeastSquares(NamedTuple):
    """What `lstsq` finds."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def pinv(
    A: Any,  # noqa: N803 (PyTorch's name)
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Tensor:
    """Return the pseudo-inverses of Moore and Penrose.

    Args:
        A: The matrices, (..., m, n), of floating-point type. Gradients take the rank as fixed.
        rcond: An older name of ``rtol``.
        hermitian: Whether they are symmetric; then only the lower triangle is read.
        atol: Singular values of up to this count as 0. Default: 0.
        rtol: And those of up to so much of the largest one. Default: max(m, n) times the precision
            of the data type, or 0 where ``atol`` is above 0.

    Raises:
        RuntimeError: If they are no matrices of floating-point type, or ``hermitian`` and not
            square.

    Example:
        >>> pinv([[2.0, 0.0], [0.0, 0.0]])
        tensor([[0.5000, 0.0000],
                [0.0000, 0.0000]])
    """
    x = as_tensor(A)._square("pinv") if hermitian else matrices("pinv", A)
    atol, rtol = _bounds(x, atol, rcond if rtol is None else rtol)
    return apply(ops.pinv, x, rtol=rtol, atol=atol, hermitian=hermitian)


def pinverse(input: Any, rcond: float = 1e-15) -> Tensor:
    """Return the pseudo-inverses; see `distgrad.linalg.pinv`.

    Example:
        >>> pinverse([[2.0, 0.0], [0.0, 4.0]])
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    return as_tensor(input).pinverse(rcond)


def matrix_rank(
    A: Any,  # noqa: N803 (PyTorch's name)
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Tensor:
    """Return how many singular values of each matrix are not 0; arguments are those of `pinv`.

    Args:
        A: The matrices, (..., m, n), of floating-point type.
        tol: An older name of ``atol``.
        hermitian: As in `pinv`.
        atol: As in `pinv`.
        rtol: As in `pinv`.

    Raises:
        RuntimeError: As `pinv`.

    Example:
        >>> matrix_rank([[1.0, 2.0], [2.0, 4.0]])
        tensor(1)
    """
    x = (as_tensor(A)._square("matrix_rank") if hermitian else matrices("matrix_rank", A)).detach()
    if hermitian:
        x = x.tril() + x.tril(-1).mT
    if tol is not None:
        atol, rtol = tol, 0.0 if rtol is None else rtol
    atol, rtol = _bounds(x, atol, rtol)
    s = apply(ops.svdvals, x).data
    xp = array_namespace(s)
    top = largest(xp, s, -1, 0)
    bound = xp.maximum(xp.asarray(atol)[..., None], xp.asarray(rtol)[..., None] * top)
    return Tensor(xp.asarray(xp.sum(s > bound, axis=-1)))


def _bounds(x: Tensor, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """Return both tolerances as numbers or arrays, with PyTorch's defaults."""
    atol, rtol = (getattr(value, "data", value) for value in (atol, rtol))
    if rtol is None:
        precision = max(x.shape[-2:]) * float(limits(x.dtype).eps)
        rtol = precision if atol is None else _unless_positive(atol, precision)
    return 0.0 if atol is None else atol, rtol


def _unless_positive(atol: Any, precision: float) -> Any:
    xp = array_namespace(atol)
    return xp.where(xp.asarray(atol) > 0, 0.0, precision)


def lstsq(
    A: Any,  # noqa: N803 (PyTorch's name)
    B: Any,  # noqa: N803 (PyTorch's name)
    rcond: float | None = None,
    *,
    driver: str | None = None,
) -> LeastSquares:
    """Return the X for which ``A @ X - B`` has the smallest norm, and X too where several have.

    Args:
        A: The matrices, (..., m, n), of floating-point type. Gradients take the rank as fixed.
        B: The right sides, (..., m, k), or vectors, (..., m), of the same type.
        rcond: Singular values of up to so much of the largest one count as 0. Default: max(m, n)
            times the precision of the data type.
        driver: "gelsy", the default, "gels", "gelsd" or "gelss": one way computes all of them, but
            with "gels" no rank is returned, and singular values with the last two only.

    Returns:
        (solution, residuals, rank, singular_values); the squared norms of what is left over, where
        m is above n and the rank n, else nothing.

    Raises:
        RuntimeError: If shapes do not fit, data types differ, or are not floating-point ones.
        ValueError: If there is no such driver.

    Example:
        >>> lstsq([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [[1.0], [3.0], [5.0]]).solution
        tensor([[1.0000],
                [2.0000]])
    """
    a, b = matrices("lstsq", A), as_tensor(B)
    a._one_type("lstsq", b)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ValueError(
            f"lstsq(): driver must be one of gels, gelsy, gelsd, gelss, got {driver!r}"
        )
    vector = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    columns = b.unsqueeze(-1) if vector else b
    if columns.ndim < 2 or columns.shape[-2] != a.shape[-2]:
        raise RuntimeError(
            f"lstsq() takes B with {a.shape[-2]} rows, as A of shape {a.shape} has, got {b.shape}"
        )
    solution = pinv(a, rcond).matmul(columns)
    nothing = Tensor(array_namespace(a.data).zeros(0, a.dtype))
    rank = matrix_rank(a, rtol=rcond)
    residuals = nothing
    if a.shape[-2] > a.shape[-1] and to_host((rank.data == a.shape[-1]).all()):
        residuals = (a.matmul(solution) - columns).square().sum(-2)
    return LeastSquares(
        solution.squeeze(-1) if vector else solution,
        residuals,
        nothing.to(np.int64) if driver == "gels" else rank,
        apply(ops.svdvals, a.detach()) if driver in ("gelsd", "gelss") else nothing,
    )
