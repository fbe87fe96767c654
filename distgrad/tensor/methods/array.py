"""What a Tensor says of its array, and what all groups of methods build on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend import Array
from distgrad.backend.dtypes import DEFAULT_FLOAT, DType, is_floating

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["OfArray"]


class OfArray:
    """Shape, data type, and conversion to another data type."""

    __slots__ = ()
    _apply: "Callable[..., Tensor]"
    _binary: "Callable[..., Tensor]"
    _product: "Callable[..., Tensor]"
    _promoted: "Callable[..., list[Any]]"
    data: Array

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

    def to(self, dtype: Any) -> "Tensor":
        """Return the tensor in another data type, or itself."""
        if self.dtype == dtype:
            return self  # type: ignore[return-value]  # nothing but Tensor has these methods
        return self._apply(ops.astype, self, dtype=np.dtype(dtype))

    def _pair(
        self, op: ops.Op, other: Any, floating: bool = False, reflected: bool = False
    ) -> "Tensor":
        """Run an op on the tensor and another operand, refusing what is not one."""
        operands = (other, self) if reflected else (self, other)
        result: Any = self._binary(op, *operands, floating)
        if result is NotImplemented:
            raise TypeError(
                f"{op.name}() takes Tensors, arrays and numbers, got Tensor and "
                f"{type(other).__name__}"
            )
        return result  # type: ignore[no-any-return]

    def _number(self, name: str) -> "Tensor":
        """Return the tensor itself, refusing one of truth values."""
        if self.dtype.kind == "b":
            raise RuntimeError(f"{name}() takes numbers, not truth values; convert with .to()")
        return self  # type: ignore[return-value]  # nothing but Tensor has these methods

    def _only_floating(self, name: str) -> "Tensor":
        """Return the tensor itself, refusing one that is not of floating-point type."""
        if not is_floating(self.dtype):
            raise RuntimeError(
                f"{name}() takes a floating-point tensor, not {self.dtype}; convert with .to()"
            )
        return self  # type: ignore[return-value]  # nothing but Tensor has these methods

    def _floating(self) -> "Tensor":
        return self.to(self.dtype if is_floating(self.dtype) else DEFAULT_FLOAT)

    def _axis(self, dim: int, room: int = 0) -> int:
        """Return an axis counted from the front, among those of the tensor and ``room`` more."""
        count = self.ndim + room
        if not -count <= dim < count and (dim, count) not in ((0, 0), (-1, 0)):
            raise IndexError(
                f"dim must be from {-count} to {count - 1} for a tensor of shape {self.shape}, "
                f"got {dim}"
            )
        return dim % (count or 1)

    def _axes(self, dim: Any) -> tuple[int, ...] | None:
        """Return axes counted from the front; None, for all, where ``dim`` names none."""
        if dim is None:
            return None
        axes = tuple([self._axis(d) for d in ((dim,) if hasattr(dim, "__index__") else dim)])
        if len(set(axes)) < len(axes):
            raise RuntimeError(f"dim names an axis twice: {dim} for a tensor of shape {self.shape}")
        return axes if axes and self.ndim else None
