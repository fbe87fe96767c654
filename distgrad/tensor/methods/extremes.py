"""Largest, smallest and middle elements, and their places."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from distgrad import ops
from distgrad.tensor.methods.elementwise import Elementwise
from distgrad.tensor.methods.shapes import Shapes

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Extremes", "ExtremesMethods"]


class Extremes(NamedTuple):
    """Extreme values along an axis, and where they stand."""

    values: "Tensor"
    indices: "Tensor"


class ExtremesMethods(Elementwise, Shapes):
    """Extremes; of equal ones the first is meant where a place is asked for."""

    __slots__ = ()

    def amax(self, dim: Any = None, keepdim: bool = False) -> "Tensor":
        """Return the largest element, of all or over ``dim``; equal ones share the gradient."""
        return self._apply(ops.amax, self, axis=self._axes(dim), keepdims=keepdim)

    def amin(self, dim: Any = None, keepdim: bool = False) -> "Tensor":
        """Return the smallest element, of all or over ``dim``; equal ones share the gradient."""
        return self._apply(ops.amin, self, axis=self._axes(dim), keepdims=keepdim)

    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """Return the largest element; along ``dim``, (values, indices); or as `maximum` does."""
        return self._extreme_of((ops.amax, ops.maximum, ops.argmax), dim, keepdim)

    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """Return the smallest element; along ``dim``, (values, indices); or as `minimum` does."""
        return self._extreme_of((ops.amin, ops.minimum, ops.argmin), dim, keepdim)

    def _extreme_of(self, of: tuple[ops.Op, ops.Op, ops.Op], dim: Any, keepdim: bool) -> Any:
        over_all, of_two, place = of
        if dim is None:
            return self._apply(over_all, self, share_nan=True)
        if hasattr(dim, "dtype"):
            return self._pair(of_two, dim)
        return self._at_places(place, dim, keepdim)

    def median(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """Return the middle element, the lower one of two; along ``dim``, (values, indices)."""
        self._number("median")
        if dim is None:
            return self._apply(ops.median, self)
        return self._at_places(ops.argmedian, dim, keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Return the place of the first largest element, among all or along ``dim``."""
        axis = None if dim is None else self._one_axis("argmax", dim)
        return self._apply(ops.argmax, self._number("argmax"), axis=axis, keepdims=keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Return the place of the first smallest element, among all or along ``dim``."""
        axis = None if dim is None else self._one_axis("argmin", dim)
        return self._apply(ops.argmin, self._number("argmin"), axis=axis, keepdims=keepdim)

    def _one_axis(self, name: str, dim: Any) -> int:
        """Return an axis counted from the front, refusing several."""
        if not hasattr(dim, "__index__"):
            raise TypeError(f"{name}() takes one dim, got {dim!r}")
        return self._axis(dim)

    def _at_places(self, op: ops.Op, dim: Any, keepdim: bool) -> Extremes:
        """Return the values along one axis at the places that the op finds, and the places."""
        axis = self._one_axis(op.name.removeprefix("arg"), dim)
        if not self.ndim:
            return Extremes(self.reshape(()), self._apply(op, self.reshape(1), axis=0))
        if not self.shape[axis] and self.shape:
            raise IndexError(
                f"{op.name.removeprefix('arg')}(): dim {dim} of shape {self.shape} has no element"
            )
        indices = self._apply(op, self, axis=axis, keepdims=True)
        values = self._taken(indices, axis)
        if keepdim:
            return Extremes(values, indices)
        return Extremes(values.squeeze(axis), indices.squeeze(axis))

    def _taken(self, indices: "Tensor", axis: int) -> "Tensor":
        """Return the elements at these places along the axis."""
        grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
        grid[axis] = indices.data
        return self[tuple(grid)]
