"""Other shapes of the same elements, and indexing."""

import math
from typing import TYPE_CHECKING, Any

from distgrad import ops
from distgrad.backend import array_namespace
from distgrad.tensor.methods.axes import Axes
from distgrad.tensor.mixing import placed_index
from distgrad.tensor.operands import kept_index, unpacked

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Shapes"]


class Shapes(Axes):
    """Changes of shape and indexing; most results share the tensor's memory."""

    __slots__ = ()

    def reshape(self, *sizes: Any, shape: Any = None) -> "Tensor":
        """Return the elements in another shape; one length may be -1."""
        wanted = unpacked(sizes, shape)
        try:
            return self._apply(ops.reshape, self, shape=wanted)
        except ValueError:
            raise RuntimeError(
                f"cannot reshape the {self.numel()} elements of shape {self.shape} to "
                f"{tuple(wanted)}: its lengths must multiply to {self.numel()}; one of them may be "
                "-1 where the others do not multiply to 0"
            ) from None

    def view(self, *sizes: Any, size: Any = None) -> "Tensor":
        """Return the elements in another shape that shares their memory.

        Raises:
            RuntimeError: If that shape cannot share it; `reshape` copies then.
        """
        result = self.reshape(*sizes, shape=size)
        xp = array_namespace(self.data)
        if result.numel() and not xp.may_share_memory(result.data, self.data):
            raise RuntimeError(
                f"view() of shape {result.shape} cannot share the memory of a tensor of shape "
                f"{self.shape} with strides {self.data.strides}; use reshape(), which copies"
            )
        return result

    def reshape_as(self, other: "Tensor") -> "Tensor":
        """Return the elements in the shape of ``other``."""
        return self.reshape(other.shape)

    def view_as(self, other: "Tensor") -> "Tensor":
        """Return the elements in the shape of ``other``, sharing their memory."""
        return self.view(other.shape)

    def ravel(self) -> "Tensor":
        """Return the elements along one axis."""
        return self.reshape(-1 if self.numel() else 0)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> "Tensor":
        """Return the tensor with the axes from start to end made one."""
        start, end = self._axis(start_dim), self._axis(end_dim)
        if start > end:
            raise RuntimeError(f"flatten(): start_dim {start_dim} lies behind end_dim {end_dim}")
        length = math.prod(self.shape[start : end + 1])
        return self.reshape((*self.shape[:start], length, *self.shape[end + 1 :]))

    def unflatten(self, dim: int, sizes: Any) -> "Tensor":
        """Return the tensor with one axis made several of these lengths; one may be -1."""
        axis, sizes = self._axis(dim), tuple(sizes)
        if not self.ndim or not sizes:
            raise RuntimeError(
                f"unflatten() makes an axis several, got sizes {sizes} for a tensor of shape "
                f"{self.shape}"
            )
        length = self.shape[axis]
        known = math.prod(size for size in sizes if size != -1)
        sizes = tuple([length // (known or 1) if size == -1 else size for size in sizes])
        if min(sizes) < 0 or math.prod(sizes) != length:
            raise RuntimeError(
                f"unflatten(): sizes {sizes} must multiply to {length}, the length of dim {dim}; "
                "one of them may be -1"
            )
        return self.reshape((*self.shape[:axis], *sizes, *self.shape[axis + 1 :]))

    def squeeze(self, dim: Any = None) -> "Tensor":
        """Return the tensor without its axes of length 1, or without those of them in ``dim``."""
        dims = range(self.ndim) if dim is None else (dim,) if hasattr(dim, "__index__") else dim
        dropped = self._each_axis("squeeze", dims)
        return self.reshape(
            tuple([n for axis, n in enumerate(self.shape) if n != 1 or axis not in dropped])
        )

    def unsqueeze(self, dim: int) -> "Tensor":
        """Return the tensor with an axis of length 1 more, at ``dim``."""
        axis = self._axis(dim, room=1)
        return self.reshape((*self.shape[:axis], 1, *self.shape[axis:]))

    def expand(self, *sizes: Any, size: Any = None) -> "Tensor":
        """Return the tensor with axes of length 1 stretched; -1 keeps a length."""
        sizes = unpacked(sizes, size)
        new = len(sizes) - self.ndim
        old = (1,) * new + self.shape
        pairs = list(zip(sizes, old, strict=False))
        shape = tuple([o if n == -1 and i >= new else n for i, (n, o) in enumerate(pairs)])
        if new < 0 or any(n < 0 or o not in (1, n) for n, o in zip(shape, old, strict=False)):
            raise RuntimeError(
                f"cannot expand shape {self.shape} to {tuple(sizes)}: an axis of length 1 may be "
                "stretched, others keep their length, written -1 as well; new axes come first"
            )
        return self._apply(ops.broadcast_to, self, shape=shape)

    def expand_as(self, other: "Tensor") -> "Tensor":
        """Return the tensor with axes of length 1 stretched to the shape of ``other``."""
        return self.expand(other.shape)

    def broadcast_to(self, size: Any) -> "Tensor":
        """Return the tensor with axes of length 1 stretched."""
        return self.expand(size)

    def __getitem__(self, index: Any) -> "Tensor":
        return self._apply(ops.getitem, self, index=placed_index(kept_index(index), self.data))
