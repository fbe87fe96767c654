"""Segments: the memory of neighbouring parameters, joined into long one-dimensional arrays.

An elementwise update does not care where one parameter ends and the next begins. Where parameters,
gradients and optimizer state lie one behind the other in flat buffers, one pass over the joined
memory replaces a pass for each parameter.

Arrays are joined only if they touch: each must begin exactly where the one before ends, in the
same buffer. A gap between them, such as the padding of a `FlatLayout`, ends the segment, because
nothing about an array tells whether the gap is padding or somebody else's data. That costs little:
in a layout, only a parameter whose size is no multiple of 16 is followed by a gap.
"""

from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from distgrad.backend import Array, array_namespace, device_name
from distgrad.backend.deferred import catch_up
from distgrad.flat import BLOCK

__all__ = ["BLOCK", "Row", "Segment", "join_rows", "separate_rows"]


class Row(NamedTuple):
    """What the update of one parameter touches: arrays of one shape, and an age.

    The age tells updates apart, as the number of steps does; rows of different ages are not joined.
    """

    param: Array
    grad: Array
    state: tuple[Array, ...]
    age: Hashable

    @property
    def arrays(self) -> tuple[Array, ...]:
        """All arrays, the parameter first, then the gradient."""
        return (self.param, self.grad, *self.state)


class Segment:
    """Rows that touch, as long one-dimensional arrays cut into blocks.

    Parameter, gradient and state of a block stay in cache while it is updated. The blocks are views
    of the rows' memory. A parameter or gradient that is not contiguous stands
    alone, and its blocks are views of a contiguous copy, which `load` fills and `store` writes
    back.

    Args:
        rows: The rows, in their order.
        offset: Where the segment begins in a flat array at whose multiples of ``block`` it is cut.
        block: The most elements of a block. Default: 64K.

    Attributes:
        rows: How many rows it holds.
        blocks: For each block, the pieces of parameter, gradient and state.
    """

    def __init__(self, rows: Sequence[Row], offset: int = 0, block: int = BLOCK) -> None:
        self.rows = len(rows)
        first = rows[0]
        size = sum(row.param.size for row in rows)
        param, grad = _contiguous(first.param), _contiguous(first.grad)
        self._strided = [
            (original, copy)
            for original, copy in ((first.param, param), (first.grad, grad))
            if copy is not original
        ]
        self._param = (first.param, param)
        flat = [_extended(array, size) for array in (param, grad, *first.state)]
        cuts = [0, *range(block - offset % block, size, block), size]
        self.blocks = [tuple(array[start:stop] for array in flat) for start, stop in pairwise(cuts)]

    def load(self) -> None:
        """Bring the contiguous copies, if there are any, up to date."""
        for original, copy in self._strided:
            copy[...] = original

    def store(self) -> None:
        """Write an updated copy of the parameter, if there is one, back to the parameter."""
        original, copy = self._param
        if copy is not original:
            catch_up()
            original[...] = copy


def join_rows(rows: Iterable[Row]) -> list[Segment]:
    """Make segments of rows, joining each row with the one before where all their arrays touch.

    Rows without elements must be left out by the caller.
    """
    runs: list[list[Row]] = []
    for row in rows:
        if runs and _joins(runs[-1][-1], row):
            runs[-1].append(row)
        else:
            runs.append([row])
    return [Segment(run, block=_block_of(run[0].param)) for run in runs]


def separate_rows(rows: Iterable[Row]) -> list[Segment]:
    """Make a segment of each row, cut where the blocks of the flat array end in which it lies.

    So a parameter and its slices at multiples of 64K have the same blocks. Rows without elements
    must be left out by the caller.
    """
    return [Segment([row], offset_in_base(row.param)) for row in rows]


def _block_of(array: Array) -> int:
    """Return the length of the blocks in which the memory around an array is walked through.

    What a processor keeps in its cache; on a GPU enough that to begin costs nothing beside it.
    """
    return BLOCK if device_name(array) == "cpu" else 64 * BLOCK


def offset_in_base(array: Array) -> int:
    """Return where in a flat array of the same data type an array lies; 0 if it is in none.

    Example:
        >>> import numpy as np
        >>> flat = np.zeros(10)
        >>> offset_in_base(flat[4:10].reshape(2, 3)), offset_in_base(flat)
        (4, 0)
    """
    base = array.base
    is_flat = getattr(base, "ndim", 0) == 1 and base.flags.c_contiguous
    if not is_flat or base.dtype != array.dtype or not array.flags.c_contiguous:
        return 0
    return (_address(array) - _address(base)) // int(array.itemsize)


def _joins(before: Row, after: Row) -> bool:
    return before.age == after.age and all(
        _touch(a, b) for a, b in zip(before.arrays, after.arrays, strict=True)
    )


def _touch(before: Array, after: Array) -> bool:
    """Tell whether ``after`` begins where ``before`` ends, in the same buffer."""
    return (
        before.base is not None
        and before.base is after.base
        and before.dtype == after.dtype
        and before.flags.c_contiguous
        and after.flags.c_contiguous
        and _address(after) == _address(before) + before.nbytes
    )


def _address(array: Array) -> int:
    if device_name(array) == "cpu":
        return int(array.__array_interface__["data"][0])
    return int(array.data.ptr)


def _contiguous(array: Array) -> Array:
    """Return the array itself, or for one that is not contiguous room for a copy of it."""
    if array.flags.c_contiguous:
        return array
    return array_namespace(array).empty(array.shape, array.dtype)


def _extended(array: Array, size: int) -> Array:
    """Return ``size`` elements from the beginning of the array, on into those that touch it."""
    flat = array.reshape(-1)
    if flat.size == size:
        return flat
    as_strided = array_namespace(array).lib.stride_tricks.as_strided
    return as_strided(flat, shape=(size,), strides=flat.strides)
