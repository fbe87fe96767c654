"""Elements at given places."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend import Array, array_namespace, to_host
from distgrad.tensor.methods.arrangements import Arrangements
from distgrad.tensor.mixing import placed_index
from distgrad.tensor.operands import raw

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Indexing", "within"]


def _whole(name: str, index: Any, x: Any) -> Array:
    """Return the array of an index, where x lies, refusing what does not count places."""
    array = raw(index)
    if getattr(array, "dtype", None) not in (np.int64, np.int32):
        raise RuntimeError(
            f"{name}() takes places as a Tensor or array of int64 or int32, got "
            f"{getattr(array, 'dtype', type(index).__name__)}; convert with .to()"
        )
    return placed_index(array, x.data)


def within(
    name: str, places: Array, lowest: int, length: int, error: type[Exception] = IndexError
) -> Array:
    """Return a copy of places that lie in an axis: a backward pass reads it again."""
    bad = places[(places < lowest) | (places >= length)]
    if bad.size:
        raise error(
            f"{name}(): index {int(to_host(bad)[0])} is out of range for {length} elements; "
            + (f"use {lowest} to {length - 1}" if length else "there is nothing to point at")
        )
    return places.copy()


def _with_length(shape: tuple[int, ...], axis: int, length: int) -> tuple[int, ...]:
    return (*shape[:axis], length, *shape[axis + 1 :])


class Indexing(Arrangements):
    """Elements chosen by tensors of places or of truth values."""

    __slots__ = ()

    def _line(self) -> "Tensor":
        """Return a 0-d tensor as one of a single element, others as they are."""
        return self if self.ndim else self.reshape(1)  # type: ignore[return-value]

    def _grid(self, name: str, axis: int, index: Any) -> tuple[Array, ...]:
        """Return the full index of what `gather` and `scatter` mean by places along an axis.

        It has the shape of the places, with at least one axis.
        """
        places = _whole(name, index, self)
        places = places if places.ndim else places.reshape(1)
        shape = self.shape or (1,)
        longest = _with_length(shape, axis, places.shape[axis] if places.ndim > axis else 0)
        if places.ndim != len(shape) or any(
            n > most for n, most in zip(places.shape, longest, strict=True)
        ):
            raise RuntimeError(
                f"{name}(): the index of shape {places.shape} must have as many axes as the tensor "
                f"of shape {self.shape}, and be no longer along any but axis {axis}"
            )
        xp = array_namespace(places)
        grid = [
            xp.arange(n).reshape(-1, *(1,) * behind)
            for n, behind in zip(places.shape, range(len(shape))[::-1], strict=True)
        ]
        grid[axis] = within(name, places, 0, shape[axis], RuntimeError)
        return tuple(grid)

    def gather(
        self,
        dim: int,
        index: Any,
        *,
        sparse_grad: bool = False,  # noqa: ARG002 (gradients are dense)
    ) -> "Tensor":
        """Return for each place of ``index`` the element that it names along ``dim``."""
        axis, places = self._axis(dim), raw(index)
        if not places.size:
            nothing = array_namespace(places).zeros(places.shape, np.int64)
            return self._apply(ops.getitem, self.ravel(), index=nothing)
        result = self._apply(ops.getitem, self._line(), index=self._grid("gather", axis, index))
        return result if places.ndim else result.reshape(())

    def take_along_dim(self, indices: Any, dim: int | None = None) -> "Tensor":
        """Return the elements at places along ``dim``; the other axes of both broadcast."""
        places = _whole("take_along_dim", indices, self)
        if dim is None:
            return self.ravel().take_along_dim(places.reshape(-1), 0)
        axis = self._axis(dim)
        if places.ndim != self.ndim:
            raise RuntimeError(
                f"take_along_dim() takes indices with as many axes as the tensor, got shapes "
                f"{places.shape} and {self.shape}"
            )
        length = self.shape[axis] if self.ndim else 1
        places = within("take_along_dim", places, -length, length, RuntimeError) % (length or 1)
        if not self.ndim:
            return self.gather(0, places)
        shapes = [_with_length(x.shape, axis, 1) for x in (self, places)]
        try:
            common = np.broadcast_shapes(*shapes)
        except ValueError:
            raise RuntimeError(
                f"take_along_dim(): shapes {self.shape} and {places.shape} do not broadcast beside "
                f"axis {axis}: their lengths must be equal or 1"
            ) from None
        shape = _with_length(common, axis, places.shape[axis])
        places = array_namespace(places).broadcast_to(places, shape)
        return self.expand(_with_length(common, axis, self.shape[axis])).gather(axis, places)

    def take(self, index: Any) -> "Tensor":
        """Return the elements at these places among all, counted in the order of the indices."""
        return self._apply(ops.getitem, self.ravel(), index=self._flat_places("take", index))

    def _flat_places(self, name: str, index: Any) -> Array:
        return within(name, _whole(name, index, self), -self.numel(), self.numel())

    def index_select(self, dim: int, index: Any) -> "Tensor":
        """Return what stands at these places of an axis."""
        axis, places = self._axis(dim), self._row("index_select", index)
        x = self._line()
        places = within("index_select", places, 0, x.shape[axis])
        result = self._apply(ops.getitem, x, index=(*(slice(None),) * axis, places))
        return result if self.ndim else result.reshape(())

    def _row(self, name: str, index: Any) -> Array:
        """Return places along one axis, refusing more than a vector."""
        places = _whole(name, index, self)
        if places.ndim > 1:
            raise IndexError(f"{name}() takes a vector of places, got one of shape {places.shape}")
        return places.reshape(-1)

    def masked_select(self, mask: Any) -> "Tensor":
        """Return the elements where ``mask`` is true, along one axis; shapes broadcast."""
        chosen, x = self._chosen("masked_select", mask)
        return self._apply(ops.getitem, x, index=chosen)

    def _chosen(self, name: str, mask: Any) -> tuple[Array, "Tensor"]:
        """Return a copy of a mask, and the tensor, broadcast to one shape."""
        chosen = raw(mask)
        if getattr(chosen, "dtype", None) != np.bool_:
            raise RuntimeError(
                f"{name}() takes a mask of bools, got "
                f"{getattr(chosen, 'dtype', type(mask).__name__)}; compare with something"
            )
        try:
            shape = np.broadcast_shapes(self.shape, chosen.shape)
        except ValueError:
            raise RuntimeError(
                f"{name}(): a tensor of shape {self.shape} and a mask of shape {chosen.shape} do "
                "not broadcast: their lengths must be equal or 1"
            ) from None
        return array_namespace(chosen).broadcast_to(chosen, shape).copy(), self.expand(shape)
