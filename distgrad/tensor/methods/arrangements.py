"""The elements in another order, several times, or as differences."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend import array_namespace, to_host
from distgrad.tensor.methods.conversions import Conversions
from distgrad.tensor.methods.parts import Parts
from distgrad.tensor.operands import raw, unpacked

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Arrangements"]


def _tuple(values: Any) -> tuple[int, ...]:
    return (values,) if hasattr(values, "__index__") else tuple(values)


class Arrangements(Parts, Conversions):
    """Rearrangements; the results have memory of their own."""

    __slots__ = ()

    def flip(self, *axes: Any, dims: Any = None) -> "Tensor":
        """Return the tensor with the order along these axes turned round."""
        axes = self._each_axis("flip", unpacked(axes, dims))
        return self._apply(ops.flip, self, axis=axes if self.ndim else ())

    def fliplr(self) -> "Tensor":
        """Return the tensor with its columns in the opposite order."""
        return self._flipped("fliplr", 1)

    def flipud(self) -> "Tensor":
        """Return the tensor with its rows in the opposite order."""
        return self._flipped("flipud", 0)

    def _flipped(self, name: str, axis: int) -> "Tensor":
        if self.ndim <= axis:
            raise RuntimeError(f"{name}() needs {axis + 1} axes or more, got shape {self.shape}")
        return self.flip(axis)

    def roll(self, shifts: Any, dims: Any = None) -> "Tensor":
        """Return the elements moved on along axes, the last ones to the front; or all as one."""
        shifts = _tuple(shifts)
        if dims is None or dims == ():
            if len(shifts) != 1:
                raise RuntimeError(f"roll() without dims takes one shift, got {len(shifts)}")
            moved = self._apply(ops.roll, self.ravel(), shift=shifts, axis=(0,))
            return moved.reshape(self.shape)
        axes = tuple([self._axis_in("roll", dim) for dim in _tuple(dims)])
        if len(axes) != len(shifts):
            raise RuntimeError(
                f"roll() takes one shift for each of dims, got {len(shifts)} and {len(axes)}"
            )
        return self._apply(ops.roll, self, shift=shifts, axis=axes)

    def rot90(self, k: int = 1, dims: Any = (0, 1)) -> "Tensor":
        """Return the tensor turned by ``k`` quarters, from the first of two axes to the second."""
        if len(dims) != 2 or self.ndim < 2:
            raise RuntimeError(
                f"rot90() turns two axes, got dims={tuple(dims)} for a tensor of shape {self.shape}"
            )
        first, second = self._each_axis("rot90", dims)
        quarters = k % 4
        if quarters == 0:
            return self.flip(())
        if quarters == 2:
            return self.flip(first, second)
        return self.flip(second if quarters == 1 else first).transpose(first, second)

    def repeat(self, *sizes: Any, repeats: Any = None) -> "Tensor":
        """Return the tensor so many times along each axis; new axes come first."""
        sizes = unpacked(sizes, repeats)
        if len(sizes) < self.ndim:
            raise RuntimeError(
                f"repeat() takes a number for each axis of shape {self.shape}, got {sizes}; "
                "tile() takes fewer"
            )
        return self.tile(sizes)

    def tile(self, *repeats: Any, dims: Any = None) -> "Tensor":
        """Return the tensor so many times along its last axes; new axes come first."""
        reps = tuple(unpacked(repeats, dims))
        if min(reps, default=0) < 0:
            raise RuntimeError(f"an axis cannot be repeated a negative number of times, got {reps}")
        return self._apply(ops.tile, self, reps=reps)

    def repeat_interleave(
        self, repeats: Any, dim: int | None = None, *, output_size: int | None = None
    ) -> "Tensor":
        """Return each element so many times, one after the other; see `repeat_interleave`."""
        x = self.ravel() if dim is None else self if self.ndim else self.reshape(1)
        axis = 0 if dim is None else self._axis(dim)
        counts = to_host(raw(repeats))
        length = x.shape[axis]
        if counts.dtype.kind not in "iu" or counts.ndim > 1 or (counts < 0).any():
            raise RuntimeError(
                "repeat_interleave() takes numbers of times that are whole and not negative: one, "
                f"or a vector, got {repeats}"
            )
        if counts.size not in (1, length):
            raise RuntimeError(
                f"repeat_interleave() takes one number, or one for each of the {length} elements "
                f"of the axis, got {counts.size}"
            )
        places = np.repeat(np.arange(length), counts)
        if output_size not in (None, len(places)):
            raise RuntimeError(
                f"repeat_interleave(): the repeats add up to {len(places)}, not to "
                f"output_size={output_size}"
            )
        places = array_namespace(x.data).asarray(places)
        return self._apply(ops.getitem, x, index=(*(slice(None),) * axis, places))

    def diff(self, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> "Tensor":
        """Return the differences of neighbours along an axis, ``n`` times over."""
        axis = self._axis_in("diff", dim)
        if n < 0:
            raise RuntimeError(f"diff() takes differences n times, not a negative number: {n}")
        if n == 0:
            return self.clone()
        ends = [end for end in (prepend, self, append) if end is not None]
        x = self
        if len(ends) > 1:
            x = self._apply(ops.concatenate, *self._promoted(*ends), axis=axis)
        for _ in range(min(n, x.shape[axis])):
            later, earlier = x._part(axis, slice(1, None)), x._part(axis, slice(None, -1))
            x = later.ne(earlier) if self.dtype.kind == "b" else later - earlier
        return x  # type: ignore[return-value]
