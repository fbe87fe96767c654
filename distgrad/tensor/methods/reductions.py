"""Reductions over all axes or over some of them."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from distgrad import ops
from distgrad.backend.dtypes import is_floating
from distgrad.tensor.methods.shapes import Shapes

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Extremes", "Reductions"]


class Extremes(NamedTuple):
    """Extreme values along an axis, and where they stand."""

    values: "Tensor"
    indices: "Tensor"


class Reductions(Shapes):
    """Reductions; ``dim`` is an axis or several, ``keepdim`` keeps them with length 1."""

    __slots__ = ()

    def sum(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> "Tensor":
        """Return the sum over all axes, or over ``dim``."""
        return self._apply(ops.sum, self, axis=dim, keepdims=keepdim)

    def mean(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> "Tensor":
        """Return the mean over all axes, or over ``dim``."""
        if not is_floating(self.dtype):
            raise RuntimeError(f"mean() needs a floating-point tensor, not {self.dtype}; use to()")
        return self._apply(ops.mean, self, axis=dim, keepdims=keepdim)

    def var(
        self,
        dim: int | tuple[int, ...] | None = None,
        *,
        correction: int = 1,
        keepdim: bool = False,
    ) -> "Tensor":
        """Return the variance over all axes, or over ``dim``; see `distgrad.var`."""
        return self._spread(ops.var, dim, correction, keepdim)

    def std(
        self,
        dim: int | tuple[int, ...] | None = None,
        *,
        correction: int = 1,
        keepdim: bool = False,
    ) -> "Tensor":
        """Return the standard deviation over all axes, or over ``dim``; see `distgrad.std`."""
        return self._spread(ops.std, dim, correction, keepdim)

    def _spread(self, op: ops.Op, dim: Any, correction: int, keepdim: bool) -> "Tensor":
        if not is_floating(self.dtype):
            raise RuntimeError(
                f"{op.name}() needs a floating-point tensor, not {self.dtype}; use to()"
            )
        return self._apply(op, self, axis=dim, correction=correction, keepdims=keepdim)

    def logsumexp(self, dim: int | tuple[int, ...], keepdim: bool = False) -> "Tensor":
        """Return the logarithm of the sum of the exponentials over ``dim``."""
        return self._apply(ops.logsumexp, self._floating(), axis=dim, keepdims=keepdim)

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """Return the largest element; along ``dim``, (values, indices) of the first largest."""
        if dim is None:
            return self._apply(ops.amax, self)
        return self._extremes(self.argmax(dim, keepdim=True), dim, keepdim)

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """Return the smallest element; along ``dim``, (values, indices) of the first smallest."""
        if dim is None:
            return self._apply(ops.amin, self)
        return self._extremes(self.argmin(dim, keepdim=True), dim, keepdim)

    def _extremes(self, indices: "Tensor", dim: int, keepdim: bool) -> Extremes:
        if not self.ndim:
            return Extremes(self.reshape(()), indices.reshape(()))
        grid = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
        grid[dim] = indices.data
        values = self[tuple(grid)]
        if keepdim:
            return Extremes(values, indices)
        return Extremes(values.squeeze(dim), indices.squeeze(dim))

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Return the place of the first largest element, among all or along ``dim``."""
        return self._apply(ops.argmax, self, axis=dim, keepdims=keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Return the place of the first smallest element, among all or along ``dim``."""
        return self._apply(ops.argmin, self, axis=dim, keepdims=keepdim)

    def all(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Tell whether every element is true."""
        return self._apply(ops.all, self, axis=dim, keepdims=keepdim)

    def any(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Tell whether some element is true."""
        return self._apply(ops.any, self, axis=dim, keepdims=keepdim)

    def norm(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> "Tensor":
        """Return the Euclidean norm over all axes, or over ``dim``."""
        return self._apply(ops.norm, self._floating(), axis=dim, keepdims=keepdim)
