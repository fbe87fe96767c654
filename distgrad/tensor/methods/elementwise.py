"""Functions of the elements, and products."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend.dtypes import is_floating
from distgrad.tensor.methods.array import OfArray

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Elementwise"]


def _boolean(name: str, condition: Any) -> Any:
    """Return a condition that is a Tensor or an array of truth values."""
    condition = np.asarray(condition) if isinstance(condition, bool | list) else condition
    if condition.dtype != np.bool_:
        raise RuntimeError(
            f"{name}() needs a condition of bools, not {condition.dtype}; compare it with something"
        )
    return condition


class Elementwise(OfArray):
    """Functions of the elements, and products of vectors and matrices."""

    __slots__ = ()

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

    def sigmoid(self) -> "Tensor":
        """Return ``1 / (1 + exp(-x))`` of each element."""
        return self._apply(ops.sigmoid, self._floating())

    def erf(self) -> "Tensor":
        """Return the error function of each element."""
        return self._apply(ops.erf, self._floating())

    def softmax(self, dim: int) -> "Tensor":
        """Return the exponentials over their sum along ``dim``, of a floating-point tensor."""
        if not is_floating(self.dtype):
            raise TypeError(f"softmax: the input must be of floating-point type, not {self.dtype}")
        return self._apply(ops.softmax, self, axis=self._axis(dim))

    def maximum(self, other: Any) -> "Tensor":
        """Return the larger one of each two elements; equal ones share the gradient."""
        return self._apply(ops.maximum, *self._promoted(self, other))

    def minimum(self, other: Any) -> "Tensor":
        """Return the smaller one of each two elements; equal ones share the gradient."""
        return self._apply(ops.minimum, *self._promoted(self, other))

    def clamp(self, min: Any = None, max: Any = None) -> "Tensor":
        """Return the elements with those outside ``min`` and ``max`` moved to these bounds."""
        if min is None and max is None:
            raise ValueError("clamp() needs min, max or both")
        return self._apply(ops.clip, *self._promoted(self, min, max))

    def where(self, condition: Any, other: Any) -> "Tensor":
        """Return the elements where ``condition`` is true, and those of ``other`` elsewhere."""
        return self._apply(ops.where, _boolean("where", condition), *self._promoted(self, other))

    def masked_fill(self, mask: Any, value: Any) -> "Tensor":
        """Return the elements with ``value``, a number or a 0-d tensor, where ``mask`` is true."""
        value = value.to(self.dtype) if hasattr(value, "node") else self.dtype.type(value)
        if value.ndim:
            raise RuntimeError(
                f"masked_fill() takes a number or a 0-d tensor, got one of shape {value.shape}; "
                "use where() to choose among several values"
            )
        return self._apply(ops.where, _boolean("masked_fill", mask), value, self)

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
