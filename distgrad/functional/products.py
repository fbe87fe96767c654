"""Products of vectors, matrices and arrays of any rank."""

from typing import Any

from distgrad.creation import as_tensor
from distgrad.tensor import Tensor

__all__ = [
    "bmm",
    "cross",
    "dot",
    "ger",
    "inner",
    "kron",
    "matmul",
    "mm",
    "mv",
    "outer",
    "tensordot",
    "vdot",
]


def matmul(input: Any, other: Any) -> Tensor:
    """Return the matrix product.

    A vector is a row on the left and a column on the right, and its axis is dropped; the axes in
    front of the last two broadcast.

    Raises:
        RuntimeError: If the shapes do not fit, or the data types differ.

    Example:
        >>> matmul(as_tensor([[1, 2], [3, 4]]), as_tensor([1, 1]))
        tensor([3, 7])
    """
    return as_tensor(input).matmul(as_tensor(other))


def mm(input: Any, mat2: Any) -> Tensor:
    """Return the product of two matrices.

    Raises:
        RuntimeError: If they are no matrices that fit, or their data types differ.

    Example:
        >>> mm(as_tensor([[1, 2], [3, 4]]), as_tensor([[1, 0], [0, 2]]))
        tensor([[1, 4],
                [3, 8]])
    """
    return as_tensor(input).mm(as_tensor(mat2))


def bmm(input: Any, mat2: Any) -> Tensor:
    """Return the products of matrices, (b, n, m) with (b, m, p) to (b, n, p).

    Raises:
        RuntimeError: If shapes do not fit, or data types differ.

    Example:
        >>> import distgrad as dg
        >>> bmm(dg.ones(2, 3, 4), dg.ones(2, 4, 5)).shape
        (2, 3, 5)
    """
    return as_tensor(input).bmm(as_tensor(mat2))


def mv(input: Any, vec: Any) -> Tensor:
    """Return the product of a matrix and a vector.

    Raises:
        RuntimeError: If shapes do not fit, or data types differ.

    Example:
        >>> mv(as_tensor([[1, 2], [3, 4]]), as_tensor([1, 1]))
        tensor([3, 7])
    """
    return as_tensor(input).mv(as_tensor(vec))


def dot(input: Any, other: Any) -> Tensor:
    """Return the inner product of two vectors.

    Raises:
        RuntimeError: If one of them is not a vector, or their lengths or data types differ.

    Example:
        >>> dot(as_tensor([1, 2]), as_tensor([3, 4]))
        tensor(11)
    """
    return as_tensor(input).dot(as_tensor(other))


vdot = dot


def inner(input: Any, other: Any) -> Tensor:
    """Return the sums of products over the last axes of both; with a single number, the product.

    Raises:
        RuntimeError: If the last axes are not equally long, or the data types differ.

    Example:
        >>> inner(as_tensor([[1, 2], [3, 4]]), as_tensor([1, 1]))
        tensor([3, 7])
    """
    return as_tensor(input).inner(as_tensor(other))


def outer(input: Any, vec2: Any) -> Tensor:
    """Return the products of each element of a vector with each of another.

    Raises:
        RuntimeError: If one of them is not a vector.

    Example:
        >>> outer(as_tensor([1, 2]), as_tensor([3, 4]))
        tensor([[3, 4],
                [6, 8]])
    """
    return as_tensor(input).outer(as_tensor(vec2))


ger = outer


def kron(input: Any, other: Any) -> Tensor:
    """Return Kronecker's product: each element of ``input`` times the whole of ``other``.

    Example:
        >>> kron(as_tensor([[1, 2]]), as_tensor([[1, 1], [0, 1]]))
        tensor([[1, 1, 2, 2],
                [0, 1, 0, 2]])
    """
    return as_tensor(input).kron(as_tensor(other))


def cross(input: Any, other: Any, dim: int | None = None) -> Tensor:
    """Return the cross products of vectors of length 3.

    Args:
        input: The vectors.
        other: Others, of as many axes; the lengths of the other axes broadcast.
        dim: The axis of the vectors. Default: the first one of length 3.

    Raises:
        RuntimeError: If the axis has another length, or there is none of length 3.

    Example:
        >>> cross(as_tensor([1, 0, 0]), as_tensor([0, 1, 0]))
        tensor([0, 0, 1])
    """
    return as_tensor(input).cross(as_tensor(other), dim)


def tensordot(a: Any, b: Any, dims: Any = 2) -> Tensor:
    """Return the sums of products over pairs of axes.

    Args:
        a: The first tensor.
        b: The second one, of the same data type.
        dims: How many: the last axes of ``a`` and the first of ``b``; or two lists of axes.

    Returns:
        The remaining axes of ``a``, then those of ``b``.

    Raises:
        RuntimeError: If paired axes are of different lengths, neither of them 1; if there are fewer
            axes than ``dims``; or if the data types differ.

    Example:
        >>> a = as_tensor([[1, 2], [3, 4]])
        >>> tensordot(a, a), tensordot(a, a, ([0], [1]))[0]
        (tensor(30), tensor([ 7, 15]))
    """
    left, right = as_tensor(a), as_tensor(b)
    left._one_type("tensordot", right)
    if hasattr(dims, "__index__"):
        count = int(dims)
        if not 0 <= count <= min(left.ndim, right.ndim):
            raise RuntimeError(
                f"tensordot(): dims={count} must be from 0 to {min(left.ndim, right.ndim)} for "
                f"shapes {left.shape} and {right.shape}"
            )
        dims = range(left.ndim - count, left.ndim), range(count)
    mine = left._each_axis("tensordot", dims[0])
    theirs = right._each_axis("tensordot", dims[1])
    lengths = [left.shape[i] for i in mine], [right.shape[i] for i in theirs]
    fitting = len(mine) == len(theirs) and all(
        n == m or 1 in (n, m) for n, m in zip(*lengths, strict=True)
    )
    if not fitting:
        raise RuntimeError(
            f"tensordot() pairs axes of one length, got lengths {lengths[0]} and {lengths[1]}"
        )
    for i, j in zip(mine, theirs, strict=True):  # an axis of length 1 is stretched: sum the other
        if left.shape[i] != right.shape[j]:
            left = left if left.shape[i] == 1 else left.sum(i, True, dtype=left.dtype)
            right = right if right.shape[j] == 1 else right.sum(j, True, dtype=right.dtype)
    return left._contracted(right, mine, theirs)
