"""Factors of matrices, which stand in the last two axes; axes in front of them number them."""

from typing import Any, NamedTuple

import numpy as np

from distgrad import ops
from distgrad.autograd import is_grad_enabled
from distgrad.backend import array_namespace
from distgrad.creation import as_tensor
from distgrad.tensor import LinAlgError, Tensor, apply

__all__ = ["QR", "SVD", "Eigen", "eigh", "eigvalsh", "matrices", "qr", "svd", "svdvals"]


class QR(NamedTuple):
    """An orthogonal and an upper triangular factor."""

    Q: Tensor
    R: Tensor


class SVD(NamedTuple):
    """Left singular vectors as columns, singular values, right singular vectors as rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class Eigen(NamedTuple):
    """Eigenvalues, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


def matrices(name: str, input: Any) -> Tensor:
    """Return matrices of floating-point type, refusing anything else.

    Raises:
        RuntimeError: If there are fewer than two axes, or other data types.
    """
    x = as_tensor(input)
    if x.ndim < 2:
        raise RuntimeError(f"{name}() takes matrices, got a tensor of shape {x.shape}")
    return x._only_floating(name)


def qr(A: Any, mode: str = "reduced") -> QR:  # noqa: N803 (PyTorch's name)
    """Return an orthogonal Q and an upper triangular R with ``A = Q @ R``.

    Args:
        A: The matrices, (..., m, n), of floating-point type. Gradients take the first min(m, n)
            columns as independent.
        mode: "reduced" for Q of shape (..., m, k) and R of (..., k, n), k = min(m, n); "complete"
            for (..., m, m) and (..., m, n), without gradients where m is above n; "r" for R alone,
            with an empty Q.

    Raises:
        ValueError: If there is no such mode.
        RuntimeError: If they are no matrices of floating-point type; or gradients are asked for
            where there are none.

    Example:
        >>> qr([[0.0, 2.0], [1.0, 3.0]]).R.abs()
        tensor([[1., 3.],
                [0., 2.]])
    """
    x = matrices("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f'qr(): mode must be "reduced", "complete" or "r", got {mode!r}')
    m, n = x.shape[-2:]
    if mode == "complete" and m > n:
        if x.requires_grad and is_grad_enabled():
            raise RuntimeError(
                f'qr(): with mode="complete" more rows than columns, {m} and {n}, have no '
                'gradient; use mode="reduced", or detach()'
            )
        return QR(*map(Tensor, array_namespace(x.data).linalg.qr(x.data, "complete")))
    packed = apply(ops.qr_packed, x)
    q, r = packed[..., :m, :], packed[..., m:, :].mT
    return QR(q[..., :0].flatten()[:0] if mode == "r" else q, r)


def svd(A: Any, full_matrices: bool = True) -> SVD:  # noqa: N803 (PyTorch's name)
    """Return U, S and Vh with ``A = U @ diag(S) @ Vh``; the singular values fall.

    Args:
        A: The matrices, (..., m, n), of floating-point type. Gradients through U and Vh take the
            singular values as distinct and not 0.
        full_matrices: Return the square U and Vh, (..., m, m) and (..., n, n), in place of
            (..., m, k) and (..., k, n), k = min(m, n). What they add has no gradient.

    Raises:
        LinAlgError: If it does not converge.
        RuntimeError: If they are no matrices of floating-point type.

    Example:
        >>> svd([[3.0, 0.0], [0.0, -4.0]]).S
        tensor([4., 3.])
    """
    x = matrices("svd", A)
    m, n = x.shape[-2:]
    packed = _decomposed("svd", x, ops.svd_packed)
    u, s, vh = packed[..., :m, :], packed[..., m, :], packed[..., m + 1 :, :].mT
    if full_matrices and m != n:
        full_u, _, full_v = array_namespace(x.data).linalg.svd(x.data)
        if m > n:
            u = apply(ops.concatenate, u, full_u[..., n:], axis=-1)
        else:
            vh = apply(ops.concatenate, vh, full_v[..., m:, :], axis=-2)
    return SVD(u, s, vh)


def svdvals(A: Any) -> Tensor:  # noqa: N803 (PyTorch's name)
    """Return the singular values, falling; see `svd`.

    Example:
        >>> svdvals([[3.0, 0.0], [0.0, -4.0]])
        tensor([4., 3.])
    """
    return _decomposed("svdvals", matrices("svdvals", A), ops.svdvals)


def eigh(A: Any, UPLO: str = "L") -> Eigen:  # noqa: N803 (PyTorch's names)
    """Return eigenvalues, rising, and eigenvectors of symmetric matrices.

    Args:
        A: The matrices, (..., n, n), of floating-point type. Gradients through the eigenvectors
            take the eigenvalues as distinct.
        UPLO: "L" to read the lower triangle only, "U" for the upper one.

    Raises:
        ValueError: If ``UPLO`` is another one.
        LinAlgError: If it does not converge.
        RuntimeError: If they are not square, or not of floating-point type.

    Example:
        >>> eigh([[2.0, 1.0], [1.0, 2.0]]).eigenvalues
        tensor([1., 3.])
    """
    x = as_tensor(A)._square("eigh")
    packed = _decomposed("eigh", x, ops.eigh_packed, UPLO=_triangle("eigh", UPLO))
    n = x.shape[-1]
    return Eigen(packed[..., n, :], packed[..., :n, :])


def eigvalsh(A: Any, UPLO: str = "L") -> Tensor:  # noqa: N803 (PyTorch's names)
    """Return the eigenvalues of symmetric matrices, rising; see `eigh`.

    Example:
        >>> eigvalsh([[2.0, 1.0], [1.0, 2.0]])
        tensor([1., 3.])
    """
    x = as_tensor(A)._square("eigvalsh")
    return _decomposed("eigvalsh", x, ops.eigvalsh, UPLO=_triangle("eigvalsh", UPLO))


def _triangle(name: str, uplo: Any) -> str:
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise ValueError(f'{name}(): UPLO must be "L" or "U", got {uplo!r}')
    return uplo.upper()


def _decomposed(name: str, x: Tensor, op: ops.Op, **attributes: Any) -> Tensor:
    try:
        return apply(op, x, **attributes)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"{name}() of matrices of shape {x.shape}: {error}") from None
