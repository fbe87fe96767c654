"""Copies of the tensor with other elements at given places."""

from typing import TYPE_CHECKING, Any

from distgrad import ops
from distgrad.backend import array_namespace, to_host
from distgrad.backend.dtypes import is_floating
from distgrad.tensor.methods.grouping import reduced_groups
from distgrad.tensor.methods.indexing import Indexing, within
from distgrad.tensor.mixing import placed_index
from distgrad.tensor.operands import kept_index, raw

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Scattering"]


class Scattering(Indexing):
    """Copies with other elements; where places repeat, all are added in order, or the last stays.

    Gradients flow to the tensor and to the source; those of elements that were overwritten by a
    later one are as if they had stayed, as in PyTorch.
    """

    __slots__ = ()

    def _source(self, name: str, source: Any, like: Any = None) -> Any:
        """Return what to write: a Tensor or array of the tensor's type, or a number of it."""
        if not hasattr(source, "dtype"):
            return self.dtype.type(source)
        if source.dtype != self.dtype:
            raise RuntimeError(
                f"{name}() writes into {self.dtype}, got a source of type {source.dtype}; convert "
                "it with .to()"
            )
        (source,) = self._promoted(source)
        if like is None:
            return source
        shape, places = source.shape or (1,), like.shape or (1,)
        if len(shape) != len(places) or any(n < m for n, m in zip(shape, places, strict=True)):
            raise RuntimeError(
                f"{name}(): the source of shape {source.shape} must have as many axes as the index "
                f"of shape {like.shape}, and be at least as long along each"
            )
        return self._apply(ops.reshape, source, shape=shape)[tuple([slice(n) for n in places])]

    def _scattered(self, name: str, op: ops.Op, dim: int, index: Any, source: Any) -> "Tensor":
        axis, places = self._axis(dim), raw(index)
        source = self._source(name, source, places if places.size else None)
        if not places.size:
            return self.clone()
        grid = self._grid(name, axis, index)
        return self._apply(op, self._line(), source, index=grid).reshape(self.shape)

    def scatter(
        self, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None
    ) -> "Tensor":
        """Return a copy with elements of ``src``, or one value, at places along ``dim``."""
        if (src is None) == (value is None):
            raise TypeError("scatter() takes src or value, one of the two")
        source = value if src is None else src
        if reduce is None:
            return self._scattered("scatter", ops.assign, dim, index, source)
        if reduce not in ("add", "multiply"):
            raise RuntimeError(f'scatter(): reduce must be "add" or "multiply", got {reduce!r}')
        if not hasattr(source, "dtype"):
            source = array_namespace(self.data).full(raw(index).shape, source, self.dtype)
        if reduce == "add":
            return self._scattered("scatter", ops.accumulate, dim, index, source)
        return self.scatter_reduce(dim, index, source, "prod")

    def scatter_add(self, dim: int, index: Any, src: Any) -> "Tensor":
        """Return a copy with elements of ``src`` added at places along ``dim``."""
        return self._scattered("scatter_add", ops.accumulate, dim, index, src)

    def scatter_reduce(
        self, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
    ) -> "Tensor":
        """Return a copy with elements of ``src`` reduced at places; see `scatter_reduce`."""
        if reduce not in ("sum", "mean", "prod", "amax", "amin"):
            raise RuntimeError(
                'scatter_reduce(): reduce must be "sum", "mean", "prod", "amax" or "amin", got '
                f"{reduce!r}"
            )
        axis, places = self._axis(dim), raw(index)
        source = self._source("scatter_reduce", src, places if places.size else None)
        if not places.size:
            return self.clone()
        grid, x = self._grid("scatter_reduce", axis, index), self._line()
        if reduce not in ("sum", "mean"):
            return reduced_groups(x, grid, source, reduce, include_self).reshape(self.shape)
        base = x if include_self else self._apply(ops.assign, x, self.dtype.type(0), index=grid)
        total: Any = self._apply(ops.accumulate, base, source, index=grid)
        if reduce == "mean":
            counts = array_namespace(places).full(x.shape, int(include_self))
            counts = ops.accumulate.forward(array_namespace(places), counts, 1, grid)
            counts = counts.clip(1).astype(self.dtype)
            total = total / counts if is_floating(self.dtype) else total.floor_divide(counts)
        return total.reshape(self.shape)  # type: ignore[no-any-return]

    def _by_row(self, name: str, op: ops.Op, dim: int, index: Any, source: Any) -> "Tensor":
        """Write what stands at each place of the source's axis to a place of the tensor's."""
        axis, places, x = self._axis(dim), self._row(name, index), self._line()
        places = within(name, places, 0, x.shape[axis])
        source = self._source(name, source)
        shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
        if source.shape != shape and not (source.shape == () and shape == (1,)):
            raise IndexError(
                f"{name}() with {len(places)} places along axis {axis} of a tensor of shape "
                f"{self.shape} takes a source of shape {shape}, got {source.shape}"
            )
        where = (*(slice(None),) * axis, places)
        return self._apply(op, x, source, index=where).reshape(self.shape)

    def index_add(self, dim: int, index: Any, source: Any, *, alpha: float = 1) -> "Tensor":
        """Return a copy with ``alpha * source`` added at these places of an axis."""
        if isinstance(alpha, float) and not is_floating(self.dtype):
            raise RuntimeError(
                f"index_add(): alpha={alpha} must be a whole number for tensors of {self.dtype}"
            )
        source = source if alpha == 1 else source * alpha
        return self._by_row("index_add", ops.accumulate, dim, index, source)

    def index_copy(self, dim: int, index: Any, source: Any) -> "Tensor":
        """Return a copy with ``source`` at these places of an axis."""
        return self._by_row("index_copy", ops.assign, dim, index, source)

    def index_fill(self, dim: int, index: Any, value: Any) -> "Tensor":
        """Return a copy with a number or 0-d tensor at these places of an axis."""
        axis, places, x = self._axis(dim), self._row("index_fill", index), self._line()
        length = x.shape[axis]
        if getattr(value, "ndim", 0):
            raise RuntimeError(
                f"index_fill() takes a number or a 0-d tensor, got shape {value.shape}; "
                "index_copy() takes more"
            )
        value = value.to(self.dtype) if hasattr(value, "node") else self.dtype.type(value)
        xp = array_namespace(places)
        # Each once: then its gradient is that of one value, not of as many as there are places.
        places = xp.unique(within("index_fill", places, -length, length) % (length or 1))
        where = (*(slice(None),) * axis, places)
        return self._apply(ops.assign, x, value, index=where).reshape(self.shape)

    def index_reduce(
        self, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
    ) -> "Tensor":
        """Return a copy with ``source`` reduced at places of an axis; see `scatter_reduce`."""
        axis, places = self._axis(dim), self._row("index_reduce", index)
        shape = source.shape or (1,)
        if len(places) != shape[axis]:
            raise IndexError(
                f"index_reduce() takes a place for each of the {shape[axis]} places along axis "
                f"{axis} of the source, got {len(places)}"
            )
        column = places.reshape(-1, *(1,) * (len(shape) - axis - 1))
        index = array_namespace(column).broadcast_to(column, shape)
        return self.scatter_reduce(axis, index, source, reduce, include_self=include_self)

    def index_put(self, indices: Any, values: Any, accumulate: bool = False) -> "Tensor":
        """Return a copy with ``values`` at, or added at, ``self[indices]``."""
        index = tuple(
            [slice(None) if i is None else placed_index(kept_index(i), self.data) for i in indices]
        )
        op = ops.accumulate if accumulate else ops.assign
        return self._apply(op, self, self._source("index_put", values), index=index)

    def put(self, index: Any, source: Any, accumulate: bool = False) -> "Tensor":
        """Return a copy with ``source`` at, or added at, places counted among all elements."""
        places = self._flat_places("put", index)
        source = self._apply(ops.reshape, self._source("put", source), shape=(-1,))
        if source.numel() != places.size:
            raise RuntimeError(
                f"put() takes an element for each place, got {source.numel()} and {places.size}"
            )
        op = ops.accumulate if accumulate else ops.assign
        flat = self._apply(op, self.ravel(), source, index=places.reshape(-1))
        return flat.reshape(self.shape)

    def masked_scatter(self, mask: Any, source: Any) -> "Tensor":
        """Return a copy with the first elements of ``source`` where ``mask`` is true."""
        chosen, x = self._chosen("masked_scatter", mask)
        source, count = self._source("masked_scatter", source), int(to_host(chosen.sum()))
        flat = self._apply(ops.reshape, source, shape=(-1,))
        if flat.numel() < count:
            raise RuntimeError(
                f"masked_scatter(): the mask asks for {count} elements, the source has "
                f"{flat.numel()}"
            )
        return self._apply(ops.assign, x, flat[:count], index=chosen)
