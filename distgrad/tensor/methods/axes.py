"""The axes in another order."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from distgrad import ops
from distgrad.tensor.methods.array import OfArray
from distgrad.tensor.operands import unpacked

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Axes"]


def _several(dims: Any) -> tuple[int, ...]:
    return (dims,) if hasattr(dims, "__index__") else tuple(dims)


class Axes(OfArray):
    """Permutations of the axes; the results share the tensor's memory."""

    __slots__ = ()

    def _each_axis(self, name: str, dims: Iterable[int]) -> tuple[int, ...]:
        """Return axes counted from the front, refusing one that is named twice."""
        dims = tuple(dims)
        axes = tuple([self._axis(dim) for dim in dims])
        if len(set(axes)) < len(axes):
            raise RuntimeError(
                f"{name}() names an axis twice: {dims} for a tensor of shape {self.shape}"
            )
        return axes

    def permute(self, *axes: Any, dims: Any = None) -> "Tensor":
        """Return the tensor with its axes in another order."""
        axes = self._each_axis("permute", unpacked(axes, dims))
        if len(axes) != self.ndim:
            raise RuntimeError(
                f"permute() names each axis once, got {len(axes)} for a tensor of shape "
                f"{self.shape}"
            )
        return self._apply(ops.transpose, self, axes=axes)

    def transpose(self, dim0: int, dim1: int) -> "Tensor":
        """Return the tensor with two axes swapped."""
        first, second = self._axis(dim0), self._axis(dim1)
        axes = list(range(self.ndim))
        if axes:
            axes[first], axes[second] = second, first
        return self._apply(ops.transpose, self, axes=tuple(axes))

    swapaxes = swapdims = transpose

    def t(self) -> "Tensor":
        """Return the transpose of a matrix; a vector or a single number as it is."""
        if self.ndim > 2:
            raise RuntimeError(
                f"t() takes a matrix or less, got shape {self.shape}; use transpose() or mT"
            )
        return self._apply(ops.transpose, self)

    @property
    def T(self) -> "Tensor":  # noqa: N802 (NumPy's and PyTorch's name)
        """The tensor with its axes reversed."""
        return self._apply(ops.transpose, self)

    @property
    def mT(self) -> "Tensor":  # noqa: N802 (PyTorch's name)
        """The tensor with its last two axes swapped: every matrix transposed."""
        if self.ndim < 2:
            raise RuntimeError(f"mT needs at least a matrix, got a tensor of shape {self.shape}")
        return self.transpose(-2, -1)

    def movedim(self, source: Any, destination: Any) -> "Tensor":
        """Return the tensor with axes moved to other places; the others keep their order."""
        sources, destinations = _several(source), _several(destination)
        if len(sources) != len(destinations):
            raise RuntimeError(
                f"movedim() moves each source to one destination, got {len(sources)} and "
                f"{len(destinations)}"
            )
        moved = dict(
            zip(
                self._each_axis("movedim", destinations),
                self._each_axis("movedim", sources),
                strict=True,
            )
        )
        staying = iter([axis for axis in range(self.ndim) if axis not in moved.values()])
        order = [moved[i] if i in moved else next(staying) for i in range(self.ndim)]
        return self._apply(ops.transpose, self, axes=tuple(order))

    moveaxis = movedim
