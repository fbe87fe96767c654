"""Copies, and conversions by the names of Python's and C's number types."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.tensor.methods.array import OfArray

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Conversions"]

_OLD_NAMES = {
    "float16": "Half",
    "bfloat16": "BFloat16",
    "float32": "Float",
    "float64": "Double",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "bool": "Bool",
    "uint16": "UInt16",
    "uint32": "UInt32",
    "uint64": "UInt64",
}


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
        return self.to(dtype=dtype)

    def type(self, dtype: Any = None) -> Any:
        """Return the tensor in another data type; without one, PyTorch's old name of its own.

        Example:
            >>> import distgrad as dg
            >>> dg.zeros(1).type(), dg.zeros(1).type(dg.int8).type()
            ('distgrad.FloatTensor', 'distgrad.CharTensor')
        """
        if dtype is None:
            return f"distgrad.{_OLD_NAMES[self.dtype.name]}Tensor"
        return self.to(dtype=dtype)

    def type_as(self, other: "Tensor") -> "Tensor":
        """Return the tensor in the data type of another one."""
        return self.to(other)

    def cpu(self) -> "Tensor":
        """Return the tensor in the memory of the machine: itself, or a copy of it."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> "Tensor":
        """Return the tensor on a GPU: itself, or a copy of it.

        Args:
            device: The GPU or its number. Default: that which the thread computes on.

        Raises:
            RuntimeError: If there is no such GPU.
        """
        named = "cuda" if device is None else device
        return self.to(f"cuda:{named}" if hasattr(named, "__index__") else named)

    def double(self) -> "Tensor":
        """Return the tensor in float64."""
        return self.to(np.float64)

    def half(self) -> "Tensor":
        """Return the tensor in float16."""
        return self.to(np.float16)

    def bfloat16(self) -> "Tensor":
        """Return the tensor in bfloat16.

        Raises:
            UsageError: If ``ml_dtypes`` is not installed.
        """
        return self.to("bfloat16")

    def long(self) -> "Tensor":
        """Return the tensor in int64."""
        return self.to(np.int64)

    def short(self) -> "Tensor":
        """Return the tensor in int16."""
        return self.to(np.int16)

    def char(self) -> "Tensor":
        """Return the tensor in int8."""
        return self.to(np.int8)

    def byte(self) -> "Tensor":
        """Return the tensor in uint8."""
        return self.to(np.uint8)

    def float(self) -> "Tensor":
        """Return the tensor in float32."""
        return self.to(np.float32)

    def int(self) -> "Tensor":
        """Return the tensor in int32."""
        return self.to(np.int32)

    def bool(self) -> "Tensor":
        """Return for each element whether it is not 0."""
        return self.to(np.bool_)
