"""Norms of vectors and matrices."""

import math
from typing import TYPE_CHECKING, Any

from distgrad import ops
from distgrad.tensor.methods.reductions import Reductions

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Norms"]


class Norms(Reductions):
    """Norms, of floating-point tensors."""

    __slots__ = ()

    def norm(
        self, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
    ) -> "Tensor":
        """Return the norm of order ``p`` over all axes, or over ``dim``; see `distgrad.norm`."""
        if p == "nuc":
            return self._matrix_norm(p, (-2, -1) if dim is None else dim, keepdim, dtype)
        return self._vector_norm(2 if p in ("fro", None) else p, dim, keepdim, dtype)

    def _vector_norm(self, p: float, dim: Any, keepdim: bool, dtype: Any = None) -> "Tensor":
        x = self if dtype is None else self.to(dtype)
        x._only_floating("norm")
        axes = self._axes(dim)
        if p == 2:
            return self._apply(ops.norm, x, axis=axes, keepdims=keepdim)
        if p == 1:
            return x.abs().sum(dim, keepdim)
        if abs(p) == math.inf:
            sizes = x.abs()
            return sizes.amax(dim, keepdim) if p > 0 else sizes.amin(dim, keepdim)
        return self._apply(ops.vector_norm, x, ord=p, axis=axes, keepdims=keepdim)

    def _matrix_norm(self, order: Any, dim: Any, keepdim: bool, dtype: Any = None) -> "Tensor":
        x = self if dtype is None else self.to(dtype)
        x._only_floating("norm")
        axes = self._axes(dim)
        if axes is None or len(axes) != 2:
            raise RuntimeError(
                f"matrix norms reduce two axes, got dim={dim} for a tensor of shape {self.shape}"
            )
        if order == "fro":
            return x._vector_norm(2, axes, keepdim)
        if order in ("nuc", 2, -2):
            return x._by_singular_values(order, axes, keepdim)
        if order not in (1, -1, math.inf, -math.inf):
            raise RuntimeError(
                'the order of a matrix norm is "fro", "nuc", 1, -1, 2, -2, inf or -inf, got '
                f"{order!r}"
            )
        summed, compared = axes if abs(order) == 1 else axes[::-1]
        sums = x.abs().sum(summed, keepdim=True)
        result = sums.amax(compared, True) if order > 0 else sums.amin(compared, True)
        return result if keepdim else result.squeeze(axes)

    def _by_singular_values(self, order: Any, axes: tuple[int, ...], keepdim: bool) -> "Tensor":
        others = [axis for axis in range(self.ndim) if axis not in axes]
        values = self._apply(ops.svdvals, self.permute(*others, *axes))
        if order == "nuc":
            result = values.sum(-1)
        else:
            result = values.amax(-1) if order > 0 else values.amin(-1)
        for axis in sorted(axes) if keepdim else ():
            result = result.unsqueeze(axis)
        return result

    def dist(self, other: Any, p: float = 2) -> "Tensor":
        """Return the norm of the difference from ``other``."""
        return self.sub(other)._vector_norm(p, None, False)

    def renorm(self, p: float, dim: int, maxnorm: float) -> "Tensor":
        """Return the parts along ``dim`` with their norms bounded; see `distgrad.renorm`."""
        self._only_floating("renorm")
        if self.ndim < 2 or p <= 0 or maxnorm < 0:
            raise RuntimeError(
                "renorm() takes two axes or more, p above 0 and maxnorm of 0 or more, got shape "
                f"{self.shape}, p={p} and maxnorm={maxnorm}"
            )
        others = [axis for axis in range(self.ndim) if axis != self._axis(dim)]
        norm = self._vector_norm(p, others, True)
        return self * (maxnorm / (norm + 1e-7)).where(norm.gt(maxnorm), 1.0)
