"""The elements in order."""

from typing import TYPE_CHECKING, Any, NamedTuple

from distgrad import ops
from distgrad.tensor.methods.indexing import Indexing

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Ordered", "Ordering"]


class Ordered(NamedTuple):
    """Elements in order along an axis, and where they stood."""

    values: "Tensor"
    indices: "Tensor"


class Ordering(Indexing):
    """Orders; equal elements stay as they stand, and nan is the largest."""

    __slots__ = ()

    def argsort(
        self,
        dim: int = -1,
        descending: bool = False,
        stable: bool = False,  # noqa: ARG002 (it is so in either case)
    ) -> "Tensor":
        """Return the places of the elements in order; it is always stable."""
        axis, x = self._axis(dim), self._line()
        return self._apply(ops.argsort, x, axis=axis, descending=descending).reshape(self.shape)

    def sort(
        self,
        dim: int = -1,
        descending: bool = False,
        *,
        stable: bool | None = None,  # noqa: ARG002 (it is so in either case)
    ) -> Ordered:
        """Return (values, indices) in order along an axis; it is always stable."""
        indices = self.argsort(dim, descending)
        return Ordered(self.gather(dim, indices), indices)

    def msort(self) -> "Tensor":
        """Return the elements in order along the first axis."""
        return self.sort(0).values

    def topk(
        self,
        k: int,
        dim: int = -1,
        largest: bool = True,
        sorted: bool = True,  # noqa: ARG002 (they are so in either case)
    ) -> Ordered:
        """Return (values, indices) of the ``k`` largest or smallest elements, always in order."""
        axis, x = self._axis(dim), self._line()
        if not 0 <= k <= x.shape[axis]:
            raise RuntimeError(
                f"topk(): k={k} must be from 0 to {x.shape[axis]}, the length of dim {dim}"
            )
        if not self.ndim and not k:
            x = x.narrow(0, 0, 0)
            return Ordered(x, x.to("int64"))
        indices = self.argsort(dim, descending=largest)
        if self.ndim:
            indices = indices.narrow(axis, 0, k).contiguous()
        return Ordered(self.gather(dim, indices), indices)

    def kthvalue(self, k: int, dim: int = -1, keepdim: bool = False) -> Ordered:
        """Return (value, index) of the ``k``-th smallest element along an axis."""
        axis, x = self._axis(dim), self._line()
        if not 1 <= k <= x.shape[axis]:
            error = RuntimeError if x.shape[axis] else IndexError
            raise error(
                f"kthvalue(): k={k} must be from 1 to {x.shape[axis]}, the length of dim {dim}"
            )
        indices = self.argsort(dim)
        if self.ndim:
            indices = indices.narrow(axis, k - 1, 1).contiguous()
        values: Any = self.gather(dim, indices)
        if keepdim or not self.ndim:
            return Ordered(values, indices)
        return Ordered(values.squeeze(axis), indices.squeeze(axis))
