"""Sums, products and extremes of all elements so far, along an axis."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.tensor.methods.extremes import Extremes, ExtremesMethods

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Scans"]


class Scans(ExtremesMethods):
    """Scans; a tensor without axes is scanned as one of a single element."""

    __slots__ = ()

    def cumsum(self, dim: int, *, dtype: Any = None) -> "Tensor":
        """Return the sum of the elements so far along ``dim``."""
        return self._scan(ops.cumsum, dim, dtype)

    def cumprod(self, dim: int, *, dtype: Any = None) -> "Tensor":
        """Return the product of the elements so far along ``dim``."""
        return self._scan(ops.cumprod, dim, dtype)

    def logcumsumexp(self, dim: int) -> "Tensor":
        """Return the logarithm of the sum of the exponentials so far along ``dim``."""
        return self._only_floating("logcumsumexp")._scan(ops.logcumsumexp, dim, None)

    def _summable(self, dtype: Any) -> "Tensor":
        """Return the tensor in a data type, or in int64 where NumPy would take an unsigned one."""
        if dtype is None and self.dtype.kind != "u":
            return self  # type: ignore[return-value]  # nothing but Tensor has these methods
        return self.to(dtype or np.int64)

    def _scan(self, op: ops.Op, dim: int, dtype: Any) -> "Tensor":
        x = self._summable(dtype)
        axis = self._one_axis(op.name, dim)
        if x.ndim:
            result = self._apply(op, x, axis=axis)
        else:
            result = self._apply(op, x.reshape(1), axis=0).reshape(())
        return result if dtype is None else result.to(dtype)

    def cummax(self, dim: int) -> Extremes:
        """Return the largest element so far along ``dim``, and its last place."""
        return self._running("cummax", ops.running_argmax, dim)

    def cummin(self, dim: int) -> Extremes:
        """Return the smallest element so far along ``dim``, and its last place."""
        return self._running("cummin", ops.running_argmin, dim)

    def _running(self, name: str, op: ops.Op, dim: int) -> Extremes:
        axis = self._one_axis(name, dim)
        x = self if self.ndim else self.reshape(1)
        indices = self._apply(op, x, axis=axis)
        values = x._taken(indices, axis)
        if self.ndim:
            return Extremes(values, indices)
        return Extremes(values.reshape(()), indices.reshape(()))
