"""Changes of shape, parts, elements."""

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend import array_namespace
from distgrad.tensor.methods.array import OfArray
from distgrad.tensor.operands import kept_index, unpacked

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Shapes"]


class Shapes(OfArray):
    """Changes of shape, parts, elements; most results share the tensor's memory."""

    __slots__ = ()

    def reshape(self, *shape: Any) -> "Tensor":
        """Return the elements in another shape; one length may be -1."""
        return self._apply(ops.reshape, self, shape=unpacked(shape))

    def view(self, *shape: Any) -> "Tensor":
        """Return the elements in another shape that shares their memory.

        Raises:
            RuntimeError: If that shape cannot share it; `reshape` copies then.
        """
        result = self.reshape(*shape)
        xp = array_namespace(self.data)
        if result.numel() and not xp.may_share_memory(result.data, self.data):
            raise RuntimeError(
                f"view() of shape {result.shape} cannot share the memory of a tensor of shape "
                f"{self.shape} with strides {self.data.strides}; use reshape(), which copies"
            )
        return result

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

    def permute(self, *dims: Any) -> "Tensor":
        """Return the tensor with its axes in another order."""
        return self._apply(ops.transpose, self, axes=unpacked(dims))

    def squeeze(self, dim: int | tuple[int, ...] | None = None) -> "Tensor":
        """Return the tensor without its axes of length 1, or without those of them in ``dim``."""
        dims = range(self.ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
        dropped = {self._axis(d) for d in dims}
        return self.reshape(
            tuple(n for axis, n in enumerate(self.shape) if n != 1 or axis not in dropped)
        )

    def unsqueeze(self, dim: int) -> "Tensor":
        """Return the tensor with an axis of length 1 more, at ``dim``."""
        axis = self._axis(dim, room=1)
        return self.reshape((*self.shape[:axis], 1, *self.shape[axis:]))

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple["Tensor", ...]:
        """Return parts along ``dim``: of one length, the last may be shorter, or of several."""
        axis = self._axis(dim)
        length = self.shape[axis]
        if isinstance(split_size, int):
            if split_size < 0 or (split_size == 0 and length):
                raise RuntimeError(f"split() needs a positive split_size, got {split_size}")
            starts = range(0, length or 1, split_size or 1)
            split_size = [min(split_size, length - start) for start in starts]
        if sum(split_size) != length or min(split_size, default=0) < 0:
            raise RuntimeError(
                f"split() needs sizes that add up to {length}, the length of dim {dim}, got "
                f"{list(split_size)}"
            )
        before = (slice(None),) * axis
        ends = accumulate(split_size)
        return tuple(
            self[(*before, slice(end - size, end))]
            for size, end in zip(split_size, ends, strict=True)
        )

    def chunk(self, chunks: int, dim: int = 0) -> tuple["Tensor", ...]:
        """Return at most ``chunks`` parts along ``dim``, all but the last of one length."""
        if chunks < 1:
            raise RuntimeError(f"chunk() needs at least 1 chunk, got {chunks}")
        length = self.shape[self._axis(dim)]
        return self.split(-(-length // chunks) if length else [0] * chunks, dim)

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
