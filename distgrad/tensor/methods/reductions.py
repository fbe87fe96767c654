"""Sums, products, means and spreads, over all axes or over some of them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend.dtypes import is_floating
from distgrad.tensor.methods.scans import Scans

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Reductions"]


class Reductions(Scans):
    """Reductions; ``dim`` is an axis or several, ``keepdim`` keeps them with length 1.

    No axis at all means all of them. ``dtype`` is what the tensor is converted to first.
    """

    __slots__ = ()

    def sum(self, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> "Tensor":
        """Return the sum over all axes, or over ``dim``."""
        x = self._summable(dtype)
        result = self._apply(ops.sum, x, axis=self._axes(dim), keepdims=keepdim)
        return result if dtype is None else result.to(dtype)

    def nansum(self, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> "Tensor":
        """Return the sum without nan."""
        return self.where(self.isnan().logical_not(), 0).sum(dim, keepdim, dtype=dtype)

    def mean(self, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> "Tensor":
        """Return the mean over all axes, or over ``dim``."""
        x = self if dtype is None else self.to(dtype)
        if not is_floating(x.dtype):
            raise RuntimeError(f"mean() needs a floating-point tensor, not {x.dtype}; use to()")
        return self._apply(ops.mean, x, axis=self._axes(dim), keepdims=keepdim)

    def nanmean(self, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> "Tensor":
        """Return the mean of what is not nan."""
        if not is_floating(self.dtype):
            raise RuntimeError(f"nanmean() needs a floating-point tensor, not {self.dtype}")
        total = self.nansum(dim, keepdim, dtype=dtype)
        return total / self.isnan().logical_not().sum(dim, keepdim)

    def prod(self, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> "Tensor":
        """Return the product of all elements, or along ``dim``."""
        x = self._summable(dtype)
        axis = None if dim is None or not self.ndim else self._one_axis("prod", dim)
        if dim is not None:
            self._axis(dim)
        result = self._apply(ops.prod, x, axis=axis, keepdims=keepdim and dim is not None)
        return result if dtype is None else result.to(dtype)

    def var(
        self,
        dim: Any = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: float | None = None,
    ) -> "Tensor":
        """Return the variance over all axes, or over ``dim``; see `distgrad.var`."""
        return self._spread(ops.var, dim, unbiased, keepdim, correction)

    def std(
        self,
        dim: Any = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: float | None = None,
    ) -> "Tensor":
        """Return the standard deviation over all axes, or over ``dim``; see `distgrad.std`."""
        return self._spread(ops.std, dim, unbiased, keepdim, correction)

    def _spread(
        self, op: ops.Op, dim: Any, unbiased: bool | None, keepdim: bool, correction: float | None
    ) -> "Tensor":
        if not is_floating(self.dtype):
            raise RuntimeError(
                f"{op.name}() needs a floating-point tensor, not {self.dtype}; use to()"
            )
        if isinstance(dim, bool):  # var(unbiased): PyTorch's older form
            dim, unbiased = None, dim
        if unbiased is not None and correction is not None:
            raise TypeError(f"{op.name}() takes unbiased or correction, not both")
        if correction is None:
            correction = 0 if unbiased is False else 1
        return self._apply(op, self, axis=self._axes(dim), correction=correction, keepdims=keepdim)

    def logsumexp(self, dim: Any, keepdim: bool = False) -> "Tensor":
        """Return the logarithm of the sum of the exponentials over ``dim``."""
        axes = self._axes(dim)
        return self._apply(ops.logsumexp, self._floating(), axis=axes, keepdims=keepdim)

    def all(self, dim: Any = None, keepdim: bool = False) -> "Tensor":
        """Tell whether every element is true."""
        return self._truth_of(ops.all, dim, keepdim)

    def any(self, dim: Any = None, keepdim: bool = False) -> "Tensor":
        """Tell whether some element is true."""
        return self._truth_of(ops.any, dim, keepdim)

    def _truth_of(self, op: ops.Op, dim: Any, keepdim: bool) -> "Tensor":
        # Unlike in the sums, an empty ``dim`` means no axis here.
        empty = isinstance(dim, list | tuple) and not dim
        result = self._apply(op, self, axis=() if empty else self._axes(dim), keepdims=keepdim)
        # PyTorch's oldest truth values were of uint8, and stay so.
        return result.to(self.dtype) if self.dtype == np.uint8 else result

    def trace(self) -> "Tensor":
        """Return the sum of the diagonal of a matrix."""
        if self.ndim != 2:
            raise RuntimeError(f"trace() needs a matrix, got a tensor of shape {self.shape}")
        places = range(min(self.shape))
        return self[list(places), list(places)].sum()
