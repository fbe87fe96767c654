"""Diagonals of matrices, and what lies above or below one."""

from typing import TYPE_CHECKING

from distgrad import ops
from distgrad.tensor.methods.axes import Axes

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Diagonals"]


class Diagonals(Axes):
    """Diagonals; a positive one is to the right of the main diagonal, a negative one below it."""

    __slots__ = ()

    def _matrix(self, name: str) -> "Tensor":
        if self.ndim < 2:
            raise RuntimeError(f"{name}() takes matrices, got a tensor of shape {self.shape}")
        return self  # type: ignore[return-value]  # nothing but Tensor has these methods

    def tril(self, diagonal: int = 0) -> "Tensor":
        """Return the matrices with zeros to the right of a diagonal."""
        return self._apply(ops.tril, self._matrix("tril"), k=diagonal)

    def triu(self, diagonal: int = 0) -> "Tensor":
        """Return the matrices with zeros to the left of a diagonal."""
        return self._apply(ops.triu, self._matrix("triu"), k=diagonal)

    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> "Tensor":
        """Return a diagonal of two axes as the last axis, sharing the tensor's memory."""
        axis1, axis2 = self._each_axis("diagonal", (dim1, dim2))
        return self._apply(ops.diagonal, self, offset=offset, axis1=axis1, axis2=axis2)

    def diag_embed(self, offset: int = 0, dim1: int = -2, dim2: int = -1) -> "Tensor":
        """Return matrices of zeros, with the last axis of the tensor on a diagonal."""
        axis1, axis2 = (self._axis(dim, room=1) for dim in (dim1, dim2))
        if axis1 == axis2 or not self.ndim:
            raise RuntimeError(
                f"diag_embed() puts the last axis on two, got dims {dim1} and {dim2} for a tensor "
                f"of shape {self.shape}"
            )
        shape = list(self.shape[:-1])
        length = self.shape[-1] + abs(offset)
        for axis in sorted((axis1, axis2)):
            shape.insert(axis, length)
        return self._apply(
            ops.put_diagonal, self, shape=tuple(shape), offset=offset, axis1=axis1, axis2=axis2
        )

    def diag(self, diagonal: int = 0) -> "Tensor":
        """Return a copy of a matrix's diagonal, or the matrix that has a vector there."""
        if self.ndim not in (1, 2):
            raise RuntimeError(
                f"diag() takes a vector or a matrix, got shape {self.shape}; diagonal() and "
                "diag_embed() take more axes"
            )
        if self.ndim == 1:
            return self.diag_embed(diagonal)
        return self._apply(ops.astype, self.diagonal(diagonal), dtype=self.dtype)

    def diagflat(self, offset: int = 0) -> "Tensor":
        """Return the matrix that has all elements on a diagonal."""
        return self._apply(ops.reshape, self, shape=(self.numel(),)).diag_embed(offset)
