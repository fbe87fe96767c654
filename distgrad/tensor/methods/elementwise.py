"""Functions of two operands of floating-point type, and those along an axis."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend.dtypes import is_floating, result_type
from distgrad.tensor.methods.arithmetic import ArithmeticMethods
from distgrad.tensor.methods.comparisons import Comparisons
from distgrad.tensor.methods.functions import Functions
from distgrad.tensor.methods.integers import Integers
from distgrad.tensor.methods.steps import Steps
from distgrad.tensor.operands import raw

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Elementwise"]


class Elementwise(ArithmeticMethods, Functions, Steps, Comparisons, Integers):
    """All functions of the elements."""

    __slots__ = ()

    def atan2(self, other: Any) -> "Tensor":
        """Return the angles of the points (other, self), from -pi to pi."""
        if not hasattr(other, "dtype"):
            raise TypeError(f"atan2() takes two Tensors or arrays, got {type(other).__name__}")
        return self._pair(ops.arctan2, other, floating=True)

    arctan2 = atan2

    def xlogy(self, other: Any) -> "Tensor":
        """Return ``self * log(other)``, 0 where the tensor is 0 unless ``other`` is nan."""
        return self._pair(ops.xlogy, other, floating=True)

    def hypot(self, other: Any) -> "Tensor":
        """Return ``sqrt(self**2 + other**2)`` without overflow."""
        return self._pair_of_floats(ops.hypot, other)

    def logaddexp(self, other: Any) -> "Tensor":
        """Return ``log(exp(self) + exp(other))`` without overflow."""
        return self._pair_of_floats(ops.logaddexp, other)

    def logaddexp2(self, other: Any) -> "Tensor":
        """Return ``log2(2**self + 2**other)`` without overflow."""
        return self._pair_of_floats(ops.logaddexp2, other)

    def _pair_of_floats(self, op: ops.Op, other: Any) -> "Tensor":
        if not hasattr(other, "dtype") or not is_floating(result_type(self.data, raw(other))):
            raise RuntimeError(
                f"{op.name}() takes two tensors, one of floating-point type, got {self.dtype} and "
                f"{getattr(other, 'dtype', type(other).__name__)}; convert with .to()"
            )
        return self._pair(op, other)

    def softmax(self, dim: int, *, dtype: Any = None) -> "Tensor":
        """Return the exponentials over their sum along ``dim``, of a floating-point tensor."""
        return self._along(ops.softmax, dim, dtype)

    def log_softmax(self, dim: int, *, dtype: Any = None) -> "Tensor":
        """Return the logarithms of the softmax along ``dim``, of a floating-point tensor."""
        return self._along(ops.log_softmax, dim, dtype)

    def _along(self, op: ops.Op, dim: int, dtype: Any) -> "Tensor":
        x = self if dtype is None else self.to(dtype)
        if not is_floating(x.dtype):
            raise TypeError(f"{op.name}: the input must be of floating-point type, not {x.dtype}")
        if x.dtype.itemsize == 2:  # its sums need more digits than the result has
            return self._along(op, dim, np.float32).to(x.dtype)
        return self._apply(op, x, axis=self._axis(dim))
