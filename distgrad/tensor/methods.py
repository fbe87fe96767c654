"""The functions that `Tensor` has as methods, with PyTorch's names and arguments."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from distgrad import ops
from distgrad.backend import Array
from distgrad.backend.dtypes import DEFAULT_FLOAT, DType, is_floating
from distgrad.tensor.operands import kept_index, unpacked

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Extremes", "Methods"]


class Extremes(NamedTuple):
    """Extreme values along an axis, and where they stand."""

    values: "Tensor"
    indices: "Tensor"


class Methods:
    """Functions of the elements, reductions, changes of shape, indexing."""

    __slots__ = ()
    _apply: "Callable[..., Tensor]"
    _product: "Callable[..., Tensor]"
    data: Array

    # Properties of the array

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""
        return self.data.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> DType:
        """The data type of its elements."""
        return self.data.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim  # type: ignore[no-any-return]

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the length of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """Return the number of axes."""
        return self.ndim

    def numel(self) -> int:
        """Return the number of elements."""
        return int(self.data.size)

    # Functions of the elements

    def abs(self) -> "Tensor":
        """Return the absolute values."""
        return self._apply(ops.absolute, self)

    def exp(self) -> "Tensor":
        """Return e to the power of each element."""
        return self._apply(ops.exp, self._floating())

    def log(self) -> "Tensor":
        """Return the natural logarithms."""
        return self._apply(ops.log, self._floating())

    def sqrt(self) -> "Tensor":
        """Return the square roots."""
        return self._apply(ops.sqrt, self._floating())

    def tanh(self) -> "Tensor":
        """Return the hyperbolic tangents."""
        return self._apply(ops.tanh, self._floating())

    def relu(self) -> "Tensor":
        """Return the elements, with 0 in place of negative ones."""
        return self._apply(ops.relu, self)

    def isfinite(self) -> "Tensor":
        """Tell for each element whether it is neither infinite nor nan."""
        return self._apply(ops.isfinite, self)

    def dot(self, other: "Tensor") -> "Tensor":
        """Return the inner product of two vectors."""
        if self.ndim != 1 or other.ndim != 1:
            raise RuntimeError(f"dot() needs two vectors, got shapes {self.shape}, {other.shape}")
        return self._product(ops.dot, self, other)

    def matmul(self, other: "Tensor") -> "Tensor":
        """Return the matrix product; leading axes broadcast."""
        return self._product(ops.matmul, self, other)

    # Reductions

    def sum(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> "Tensor":
        """Return the sum over all axes, or over ``dim``."""
        return self._apply(ops.sum, self, axis=dim, keepdims=keepdim)

    def mean(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> "Tensor":
        """Return the mean over all axes, or over ``dim``."""
        if not is_floating(self.dtype):
            raise RuntimeError(f"mean() needs a floating-point tensor, not {self.dtype}; use to()")
        return self._apply(ops.mean, self, axis=dim, keepdims=keepdim)

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """Return the largest element; along ``dim``, (values, indices) of the first largest."""
        if dim is None:
            return self._apply(ops.amax, self)
        if not self.ndim:
            indices = self._apply(ops.argmax, self, axis=dim)
            return Extremes(self._apply(ops.amax, self, axis=dim), indices)
        indices = self._apply(ops.argmax, self, axis=dim, keepdims=True)
        grid = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
        grid[dim] = indices.data
        values = self[tuple(grid)]
        if keepdim:
            return Extremes(values, indices)
        shape = tuple(np.delete(values.shape, dim).tolist())
        return Extremes(values.reshape(shape), indices.reshape(shape))

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Return the place of the first largest element, among all or along ``dim``."""
        return self._apply(ops.argmax, self, axis=dim, keepdims=keepdim)

    def all(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Tell whether every element is true."""
        return self._apply(ops.all, self, axis=dim, keepdims=keepdim)

    def any(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Tell whether some element is true."""
        return self._apply(ops.any, self, axis=dim, keepdims=keepdim)

    def norm(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> "Tensor":
        """Return the Euclidean norm over all axes, or over ``dim``."""
        return self._apply(ops.norm, self._floating(), axis=dim, keepdims=keepdim)

    # Shapes, elements, data types

    def reshape(self, *shape: Any) -> "Tensor":
        """Return the elements in another shape; one length may be -1."""
        return self._apply(ops.reshape, self, shape=unpacked(shape))

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> "Tensor":
        """Return the tensor with the axes from start to end made one."""
        start, end = start_dim % (self.ndim or 1), end_dim % (self.ndim or 1)
        if start > end:
            raise RuntimeError(f"flatten(): start_dim {start_dim} lies behind end_dim {end_dim}")
        length = int(np.prod(self.shape[start : end + 1], dtype=np.int64))
        return self.reshape((*self.shape[:start], length, *self.shape[end + 1 :]))

    def transpose(self, dim0: int, dim1: int) -> "Tensor":
        """Return the tensor with two axes swapped."""
        axes = list(range(self.ndim))
        axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
        return self._apply(ops.transpose, self, axes=tuple(axes))

    @property
    def T(self) -> "Tensor":  # noqa: N802 (NumPy's and PyTorch's name)
        """The tensor with its axes reversed."""
        return self._apply(ops.transpose, self)

    def expand(self, *sizes: Any) -> "Tensor":
        """Return the tensor with axes of length 1 stretched; -1 keeps a length."""
        sizes = unpacked(sizes)
        new = len(sizes) - self.ndim
        shape = tuple(self.shape[i - new] if n == -1 else n for i, n in enumerate(sizes))
        return self._apply(ops.broadcast_to, self, shape=shape)

    def __getitem__(self, index: Any) -> "Tensor":
        return self._apply(ops.getitem, self, index=kept_index(index))

    def clone(self) -> "Tensor":
        """Return a copy; gradients flow through it."""
        return self._apply(ops.astype, self, dtype=self.dtype)

    def to(self, dtype: Any) -> "Tensor":
        """Return the tensor in another data type, or itself."""
        if self.dtype == dtype:
            return self  # type: ignore[return-value]  # nothing but Tensor has these methods
        return self._apply(ops.astype, self, dtype=np.dtype(dtype))

    astype = to

    def _floating(self) -> "Tensor":
        return self.to(self.dtype if is_floating(self.dtype) else DEFAULT_FLOAT)
