"""Copies, and conversions by the names of Python's and C's number types."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.tensor.methods.array import OfArray

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Conversions"]


class Conversions(OfArray):
    """Data types and memory order; a file of its own, since some names are those of builtins."""

    __slots__ = ()

    def clone(self) -> "Tensor":
        """Return a copy; gradients flow through it."""
        return self._apply(ops.astype, self, dtype=self.dtype)

    def is_contiguous(self) -> Any:
        """Tell whether the elements lie in memory in the order of their indices (C order)."""
        return bool(self.data.flags.c_contiguous)

    def contiguous(self) -> "Tensor":
        """Return the tensor with its elements in C order in memory, or itself."""
        if self.is_contiguous():
            return self  # type: ignore[return-value]  # nothing but Tensor has these methods
        return self._apply(ops.ascontiguousarray, self)

    def astype(self, dtype: Any) -> "Tensor":
        """Return the tensor in another data type, or itself; NumPy's name of `to`."""
        return self.to(dtype)

    def double(self) -> "Tensor":
        """Return the tensor in float64."""
        return self.to(np.float64)

    def long(self) -> "Tensor":
        """Return the tensor in int64."""
        return self.to(np.int64)

    def float(self) -> "Tensor":
        """Return the tensor in float32."""
        return self.to(np.float32)

    def bool(self) -> "Tensor":
        """Return for each element whether it is not 0."""
        return self.to(np.bool_)
