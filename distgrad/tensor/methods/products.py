"""Products of vectors and matrices."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend.dtypes import is_floating
from distgrad.tensor.methods.arithmetic import ArithmeticMethods
from distgrad.tensor.methods.shapes import Shapes

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Products"]


class Products(ArithmeticMethods, Shapes):
    """Products; but for `outer` and `kron`, the operands are of one data type."""

    __slots__ = ()

    def _with_axes(self, name: str, operands: Any, counts: tuple[int, ...]) -> None:
        """Refuse operands that do not have so many axes."""
        for x in operands:
            self._array(name, x)
        shapes = [x.shape for x in operands]
        if tuple(len(shape) for shape in shapes) != counts:
            raise RuntimeError(
                f"{name}() takes operands of {' and '.join(map(str, counts))} axes, got shapes "
                f"{' and '.join(map(str, shapes))}; matmul() broadcasts"
            )

    def matmul(self, other: Any) -> "Tensor":
        """Return the matrix product; leading axes broadcast."""
        return self._product(ops.matmul, self, other)

    def mm(self, mat2: Any) -> "Tensor":
        """Return the product of two matrices."""
        self._with_axes("mm", (self, mat2), (2, 2))
        return self.matmul(mat2)

    def bmm(self, mat2: Any) -> "Tensor":
        """Return the products of two equally long rows of matrices."""
        self._with_axes("bmm", (self, mat2), (3, 3))
        if self.shape[0] != mat2.shape[0]:
            raise RuntimeError(
                f"bmm() multiplies as many matrices by as many, got {self.shape[0]} and "
                f"{mat2.shape[0]}; matmul() broadcasts"
            )
        return self.matmul(mat2)

    def mv(self, vec: Any) -> "Tensor":
        """Return the product of a matrix and a vector."""
        self._with_axes("mv", (self, vec), (2, 1))
        return self.matmul(vec)

    def dot(self, other: Any) -> "Tensor":
        """Return the inner product of two vectors."""
        if self.ndim != 1 or other.ndim != 1:
            raise RuntimeError(f"dot() needs two vectors, got shapes {self.shape}, {other.shape}")
        return self._product(ops.dot, self, other)

    vdot = dot

    def inner(self, other: Any) -> "Tensor":
        """Return the sums of products over the last axes of both."""
        self._one_type("inner", other)
        (other,) = self._promoted(other)
        if not self.ndim or not other.ndim:
            return self.mul(other)
        if self.shape[-1] != other.shape[-1]:
            raise RuntimeError(
                f"inner() takes equally long last axes, got shapes {self.shape} and {other.shape}"
            )
        return self._contracted(other, (self.ndim - 1,), (other.ndim - 1,))

    def _one_type(self, name: str, *others: Any) -> None:
        """Refuse operands of other data types."""
        for other in others:
            self._array(name, other)
            if other.dtype != self.dtype:
                raise RuntimeError(
                    f"{name}() needs operands of one data type, got {self.dtype} and "
                    f"{other.dtype}; convert one of them with .to()"
                )

    def _contracted(
        self, other: "Tensor", mine: tuple[int, ...], theirs: tuple[int, ...]
    ) -> "Tensor":
        """Sum the products over pairs of axes: a product of two matrices."""
        left = [axis for axis in range(self.ndim) if axis not in mine]
        right = [axis for axis in range(other.ndim) if axis not in theirs]
        rows, columns = [self.shape[i] for i in left], [other.shape[i] for i in right]
        length = math.prod(self.shape[i] for i in mine)
        a = self.permute(*left, *mine).reshape(math.prod(rows), length)
        b = other.permute(*theirs, *right).reshape(length, math.prod(columns))
        return a.matmul(b).reshape(*rows, *columns)

    def outer(self, vec2: Any) -> "Tensor":
        """Return the products of each element of a vector with each of another."""
        self._with_axes("outer", (self, vec2), (1, 1))
        return self.reshape(-1, 1).mul(vec2)

    ger = outer

    def kron(self, other: Any) -> "Tensor":
        """Return Kronecker's product: each element times the whole of the other tensor."""
        count = max(self.ndim, other.ndim)
        mine = (1,) * (count - self.ndim) + self.shape
        theirs = (1,) * (count - other.ndim) + tuple(other.shape)
        spread = self.reshape([n for length in mine for n in (length, 1)])
        tiled = self._apply(ops.reshape, other, shape=[n for m in theirs for n in (1, m)])
        shape = [n * m for n, m in zip(mine, theirs, strict=True)]
        return spread.mul(tiled).reshape(shape)

    def cross(self, other: Any, dim: int | None = None) -> "Tensor":
        """Return the cross products along an axis of length 3; by default the first such one."""
        self._one_type("cross", other)
        if dim is None:
            places = [axis for axis, n in enumerate(self.shape) if n == 3]
            if not places:
                raise RuntimeError(f"cross() needs an axis of length 3, got shape {self.shape}")
            dim = places[0]
        if self.ndim != other.ndim or not self.ndim:
            raise RuntimeError(
                f"cross() takes operands of as many axes, got shapes {self.shape} and "
                f"{other.shape}; unsqueeze() one of them"
            )
        axis = self._axis(dim)
        if self.shape[axis] != 3 or other.shape[axis] != 3:
            raise RuntimeError(
                f"cross() needs length 3 along axis {axis}, got shapes {self.shape} and "
                f"{other.shape}"
            )
        before = (slice(None),) * axis
        a, b = (
            [x[(*before, list(order))] for order in ((1, 2, 0), (2, 0, 1))] for x in (self, other)
        )
        return a[0] * b[1] - a[1] * b[0]

    def addmm(self, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> "Tensor":
        """Return ``beta * self + alpha * mat1 @ mat2``."""
        self._with_axes("addmm", (mat1, mat2), (2, 2))
        return self._plus("addmm", mat1, mat2, beta, alpha)

    def addmv(self, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> "Tensor":
        """Return ``beta * self + alpha * mat @ vec``."""
        self._with_axes("addmv", (mat, vec), (2, 1))
        return self._plus("addmv", mat, vec, beta, alpha)

    def baddbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> "Tensor":
        """Return ``beta * self + alpha * batch1 @ batch2``, matrix by matrix."""
        self._with_axes("baddbmm", (batch1, batch2), (3, 3))
        if batch1.shape[0] != batch2.shape[0]:
            raise RuntimeError(
                f"baddbmm() multiplies as many matrices by as many, got {batch1.shape[0]} and "
                f"{batch2.shape[0]}"
            )
        return self._plus("baddbmm", batch1, batch2, beta, alpha)

    def addbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> "Tensor":
        """Return ``beta * self + alpha * (batch1 @ batch2).sum(0)``."""
        self._with_axes("addbmm", (batch1, batch2), (3, 3))
        if batch1.shape[0] != batch2.shape[0] or batch1.shape[2] != batch2.shape[1]:
            raise RuntimeError(
                f"addbmm() multiplies as many matrices by as many that fit, got shapes "
                f"{batch1.shape} and {batch2.shape}"
            )
        count = batch1.shape[0] * batch1.shape[2]
        first = self._apply(ops.transpose, batch1, axes=(1, 0, 2))
        first = first.reshape(batch1.shape[1], count)
        second = self._apply(ops.reshape, batch2, shape=(count, batch2.shape[2]))
        return self._plus("addbmm", first, second, beta, alpha)

    def addr(self, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> "Tensor":
        """Return ``beta * self + alpha * outer(vec1, vec2)``."""
        self._with_axes("addr", (vec1, vec2), (1, 1))
        base, first, second = self._promoted(self, vec1, vec2)
        product = first.reshape(-1, 1) * second
        return base._combined("addr", product, beta, alpha)  # type: ignore[no-any-return]

    def _plus(self, name: str, a: Any, b: Any, beta: float, alpha: float) -> "Tensor":
        self._one_type(name, a, b)
        return self._combined(name, self._product(ops.matmul, a, b), beta, alpha)

    def _combined(self, name: str, product: "Tensor", beta: Any, alpha: Any) -> "Tensor":
        """Return ``beta * self + alpha * product``; with a beta of 0 no nan of the tensor stays."""
        if not is_floating(self.dtype):  # factors lose their fractions, as in PyTorch
            if name == "addr" and any(isinstance(x, float) for x in (beta, alpha)):
                raise RuntimeError(
                    f"addr(): beta={beta} and alpha={alpha} must be whole numbers for tensors of "
                    f"{self.dtype}"
                )
            beta, alpha = self.dtype.type(beta).item(), self.dtype.type(alpha).item()
        base = self.expand(product.shape)
        if alpha != 1:
            product = product * alpha
        if beta == 0:
            return self._apply(ops.where, np.False_, base, product)
        return product + (base if beta == 1 else base * beta)
