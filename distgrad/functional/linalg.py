"""Linear algebra under the names of ``torch.linalg``; the norms are defined here."""

import math
from typing import Any

from distgrad.creation import as_tensor, eye
from distgrad.functional.decompositions import eigh, eigvalsh, matrices, qr, svd, svdvals
from distgrad.functional.equations import matrix_exp, solve_triangular, tensorinv, tensorsolve
from distgrad.functional.least_squares import lstsq, matrix_rank, pinv
from distgrad.functional.matrices import (
    cholesky,
    det,
    matrix_power,
    multi_dot,
    slogdet,
    solve,
)
from distgrad.functional.matrices import inverse as inv
from distgrad.functional.products import matmul
from distgrad.tensor import LinAlgError, Tensor

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vecdot",
    "vector_norm",
]


def vector_norm(
    x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """Return ``sum(abs(x) ** ord) ** (1 / ord)`` over all axes, or over ``dim``.

    Args:
        x: The values, of floating-point type.
        ord: Any number: 0 counts what is not 0, ``inf`` takes the largest absolute value, ``-inf``
            the smallest.
        dim: The axes to reduce; all of them by default.
        keepdim: Keep them with length 1.
        dtype: What the values are converted to first. Default: their own type.

    Raises:
        RuntimeError: If ``x`` is not of floating-point type, or an order below 0 or infinite meets
            no element.

    Example:
        >>> vector_norm([3.0, -4.0]), vector_norm([3.0, -4.0], ord=math.inf)
        (tensor(5.), tensor(4.))
    """
    values = as_tensor(x)
    if isinstance(ord, str):
        raise TypeError(f"vector_norm(): ord must be a number, got {ord!r}")
    if ord < 0 or ord == math.inf:
        axes = values._axes(dim)
        lengths = list(values.shape) if axes is None else [values.shape[axis] for axis in axes]
        if 0 in lengths:
            raise RuntimeError(
                f"vector_norm() of order {ord} needs elements, got shape {values.shape} with "
                f"dim={dim}"
            )
    return values._vector_norm(ord, dim, keepdim, dtype)


def matrix_norm(
    A: Any,  # noqa: N803 (PyTorch's name)
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """Return the norm of matrices.

    Args:
        A: The values, of floating-point type, at least a matrix.
        ord: "fro", the root of the sum of all squares; "nuc", the sum of the singular values;
            ``inf``, the largest sum of absolute values of a row, and ``-inf`` the smallest; 1 and
            -1, the same of columns; 2 and -2, the largest and the smallest singular value.
        dim: The two axes that make the matrices.
        keepdim: Keep them with length 1.
        dtype: What the values are converted to first. Default: their own type.

    Raises:
        RuntimeError: If ``A`` is not of floating-point type, ``dim`` does not name two axes, or
            ``ord`` is none of those.

    Example:
        >>> matrix_norm([[3.0, 0.0], [0.0, -4.0]]), matrix_norm([[1.0, -2.0], [3.0, 4.0]], 1)
        (tensor(5.), tensor(6.))
    """
    return as_tensor(A)._matrix_norm(ord, dim, keepdim, dtype)


def norm(
    A: Any,  # noqa: N803 (PyTorch's name)
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """Return the norm of a vector or of matrices.

    Args:
        A: The values, of floating-point type.
        ord: None for the root of the sum of all squares, over whatever axes; else as in
            `vector_norm` where one axis is reduced, and as in `matrix_norm` where two are.
        dim: One axis or two; by default all of a vector or a matrix.
        keepdim: Keep them with length 1.
        dtype: What the values are converted to first. Default: their own type.

    Raises:
        RuntimeError: If ``ord`` is given for another number of axes than one or two, or ``A`` is
            not of floating-point type; or if there is no such order.

    Example:
        >>> norm([[3.0, 0.0], [0.0, -4.0]]), norm([[3.0, 0.0], [0.0, -4.0]], ord="nuc")
        (tensor(5.), tensor(7.))
    """
    x = as_tensor(A)
    if ord is None:
        return vector_norm(x, 2, dim, keepdim, dtype=dtype)
    count = x.ndim if dim is None else 1 if hasattr(dim, "__index__") else len(dim)
    if count not in (1, 2):
        raise RuntimeError(
            f"norm() of order {ord!r} takes one axis or two, got {count} of a tensor of shape "
            f"{x.shape}; give them by dim, or leave ord out"
        )
    if count == 1 and not isinstance(ord, str):
        return vector_norm(x, ord, dim, keepdim, dtype=dtype)
    return matrix_norm(x, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)


def cond(A: Any, p: Any = None) -> Tensor:  # noqa: N803 (PyTorch's name)
    """Return the condition numbers of matrices: how much they may enlarge a relative error.

    Args:
        A: The matrices, of floating-point type; square ones, but for ``p`` of None, 2 and -2.
        p: The order of the norm, as in `matrix_norm`; None for 2.

    Returns:
        The norm times that of the inverse; infinite where there is no inverse.

    Raises:
        RuntimeError: If they are no such matrices, or there is no such norm.

    Example:
        >>> cond([[4.0, 0.0], [0.0, 0.5]])
        tensor(8.)
    """
    x = matrices("cond", A)
    if p in (None, 2, -2):
        values = svdvals(x)
        if not values.shape[-1]:
            return values.sum(-1)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    x._square("cond")
    if not x.shape[-1]:
        return x.sum((-2, -1))
    regular = matrix_norm(x, p)
    singular = det(x.detach()) == 0
    shift = singular.unsqueeze(-1).unsqueeze(-1).to(x.dtype) * eye(x.shape[-1], dtype=x.dtype)
    return (regular * matrix_norm(inv(x + shift), p)).where(singular.logical_not(), math.inf)


def cross(input: Any, other: Any, *, dim: int = -1) -> Tensor:
    """Return the cross products of vectors of length 3 along ``dim``; the other axes broadcast.

    Raises:
        RuntimeError: If the axis has another length, or the numbers of axes or data types differ.

    Example:
        >>> cross(as_tensor([1, 0, 0]), as_tensor([0, 1, 0]))
        tensor([0, 0, 1])
    """
    return as_tensor(input).cross(as_tensor(other), dim)


def diagonal(
    A: Any,  # noqa: N803 (PyTorch's name)
    *,
    offset: int = 0,
    dim1: int = -2,
    dim2: int = -1,
) -> Tensor:
    """Return the diagonals of matrices; see `distgrad.diagonal`.

    Example:
        >>> diagonal(as_tensor([[1, 2], [3, 4]]))
        tensor([1, 4])
    """
    return as_tensor(A).diagonal(offset, dim1, dim2)


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Tensor:
    """Return the inner products of vectors along ``dim``; the other axes broadcast.

    Raises:
        RuntimeError: If the data types differ.

    Example:
        >>> vecdot(as_tensor([[1, 2], [3, 4]]), as_tensor([1, 1]))
        tensor([3, 7])
    """
    first, second = as_tensor(x), as_tensor(y)
    first._one_type("vecdot", second)
    return first.mul(second).sum(dim)
