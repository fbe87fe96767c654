"""Parts along an axis."""

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend import to_host
from distgrad.tensor.methods.shapes import Shapes
from distgrad.tensor.operands import raw

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Parts"]


class Parts(Shapes):
    """Parts along an axis; they share the tensor's memory."""

    __slots__ = ()

    def _part(self, axis: int, part: int | slice) -> "Tensor":
        return self._apply(ops.getitem, self, index=(*(slice(None),) * axis, part))

    def _axis_in(self, name: str, dim: int) -> int:
        """Return an axis counted from the front, of a tensor that has one."""
        if not self.ndim:
            raise RuntimeError(f"{name}() needs an axis, got a 0-d tensor; use unsqueeze(0) first")
        return self._axis(dim)

    def split(self, split_size: Any, dim: int = 0) -> tuple["Tensor", ...]:
        """Return parts along ``dim``: of one length, the last may be shorter, or of several."""
        axis = self._axis_in("split", dim)
        length = self.shape[axis]
        if not isinstance(split_size, list | tuple):
            size = int(split_size)
            if size < 0 or (size == 0 and length):
                raise RuntimeError(f"split() needs a positive split_size, got {size}")
            starts = range(0, length or 1, size or 1)
            split_size = [min(size, length - start) for start in starts]
        if sum(split_size) != length or min(split_size, default=0) < 0:
            raise RuntimeError(
                f"split() needs sizes that add up to {length}, the length of dim {dim}, got "
                f"{list(split_size)}"
            )
        ends = accumulate(split_size)
        return tuple(
            self._part(axis, slice(end - size, end))
            for size, end in zip(split_size, ends, strict=True)
        )

    def split_with_sizes(self, split_sizes: Sequence[int], dim: int = 0) -> tuple["Tensor", ...]:
        """Return parts of these lengths along ``dim``."""
        return self.split(tuple(split_sizes), dim)

    def chunk(self, chunks: int, dim: int = 0) -> tuple["Tensor", ...]:
        """Return at most ``chunks`` parts along ``dim``, all but the last of one length."""
        if chunks < 1:
            raise RuntimeError(f"chunk() needs at least 1 chunk, got {chunks}")
        length = self.shape[self._axis_in("chunk", dim)]
        return self.split(-(-length // chunks) if length else [0] * chunks, dim)

    def tensor_split(self, indices_or_sections: Any, dim: int = 0) -> tuple["Tensor", ...]:
        """Return so many parts along ``dim``, of almost equal length; or those between places."""
        axis = self._axis_in("tensor_split", dim)
        length = self.shape[axis]
        places = raw(indices_or_sections)
        if hasattr(places, "dtype") and places.ndim:
            places = to_host(places).tolist()
        if not hasattr(places, "__len__") or hasattr(places, "dtype"):
            count = int(to_host(places))
            if count < 1:
                raise RuntimeError(f"tensor_split() needs at least 1 section, got {count}")
            short, longer = divmod(length, count)
            places = [part * short + min(part, longer) for part in range(1, count)]
        limits = [0, *places, length]
        return tuple(
            self._part(axis, slice(limits[i], limits[i + 1])) for i in range(len(limits) - 1)
        )

    def hsplit(self, indices_or_sections: Any) -> tuple["Tensor", ...]:
        """Return parts along the second axis, or along that of a vector."""
        return self._even_parts("hsplit", indices_or_sections, 1, min(1, self.ndim - 1))

    def vsplit(self, indices_or_sections: Any) -> tuple["Tensor", ...]:
        """Return parts along the first axis of a matrix or more."""
        return self._even_parts("vsplit", indices_or_sections, 2, 0)

    def dsplit(self, indices_or_sections: Any) -> tuple["Tensor", ...]:
        """Return parts along the third axis."""
        return self._even_parts("dsplit", indices_or_sections, 3, 2)

    def _even_parts(self, name: str, places: Any, ndim: int, axis: int) -> tuple["Tensor", ...]:
        if self.ndim < ndim:
            raise RuntimeError(
                f"{name}() needs {ndim} axes or more, got a tensor of shape {self.shape}"
            )
        if hasattr(places, "__index__") and (places < 1 or self.shape[axis] % places):
            raise RuntimeError(
                f"{name}(): {places} sections do not divide {self.shape[axis]}, the length of dim "
                f"{axis}; tensor_split() makes almost equal parts"
            )
        return self.tensor_split(places, axis)

    def select(self, dim: int, index: int) -> "Tensor":
        """Return what stands at one place of an axis, without that axis."""
        if not self.ndim:
            raise IndexError("select() needs an axis, got a 0-d tensor; use unsqueeze(0) first")
        axis, place = self._axis(dim), int(index)
        length = self.shape[axis]
        if not -length <= place < length:
            raise IndexError(
                f"select(): index {place} is out of range for dim {dim} of length {length}; "
                f"use {-length} to {length - 1}"
            )
        return self._part(axis, place)

    def narrow(self, dim: int, start: Any, length: int) -> "Tensor":
        """Return ``length`` elements along an axis, from ``start`` on."""
        if getattr(start, "dtype", np.dtype(np.int64)).kind not in "iu":
            raise RuntimeError(f"narrow() takes a whole number to start from, got {start}")
        axis, first = self._axis_in("narrow", dim), int(start)
        whole = self.shape[axis]
        begin = first + whole if first < 0 else first
        if not 0 <= begin <= whole or length < 0 or begin + length > whole:
            error = RuntimeError if 0 <= begin <= whole else IndexError
            raise error(
                f"narrow(): {length} elements from {first} on do not lie in dim {dim} of length "
                f"{whole}"
            )
        return self._part(axis, slice(begin, begin + length))

    def unbind(self, dim: int = 0) -> tuple["Tensor", ...]:
        """Return what stands at each place of an axis, without that axis."""
        axis = self._axis_in("unbind", dim)
        return tuple(self._part(axis, place) for place in range(self.shape[axis]))

    def unfold(self, dimension: int, size: int, step: int) -> "Tensor":
        """Return every window of ``size`` elements along an axis; within it, a new last axis."""
        axis = self._axis(dimension)
        x = self if self.ndim else self.reshape(1)
        if not 0 <= size <= x.shape[axis] or step < 1:
            raise RuntimeError(
                f"unfold() needs a size from 0 to {x.shape[axis]}, the length of dim {dimension}, "
                f"and a positive step, got size={size} and step={step}"
            )
        result = self._apply(ops.unfold, x, axis=axis, size=size, step=step)
        return result if self.ndim else result.reshape(size)
