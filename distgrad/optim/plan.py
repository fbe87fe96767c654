"""`Plan`: how the memory of a group's parameters is walked through, kept from step to step."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

from distgrad.backend import Array, array_namespace
from distgrad.optim.segments import BLOCK, Row, Segment
from distgrad.tensor import Tensor

__all__ = ["Kernel", "Plan", "Scratch"]

Kernel: TypeAlias = Callable[..., Any]
"""``kernel(xp, scratch, product, param, grad, *state)`` updates one block in place.

``scratch`` and ``product`` are two arrays of the block's length, to be overwritten.
"""

Scratch: TypeAlias = dict[Any, tuple[Array, Array]]
"""Two arrays as long as the longest block, which all share, by array module and data type."""


_NOTHING: Mapping[str, Any] = {}


class Plan:
    """The segments of one group, kept as long as all arrays stay the same objects.

    Args:
        params: The parameters that are updated.
        names: Of the arrays that are kept for each of them.
        rows: What their updates touch.
        segments: The segments of those rows that are not empty.
        scratch: Where the scratch arrays are found, or put.

    Attributes:
        parts: Each segment, with what a kernel is called with for each of its blocks.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        names: Iterable[str],
        rows: Sequence[Row],
        segments: Sequence[Segment],
        scratch: Scratch,
    ) -> None:
        self._held = list(zip(params, rows, strict=True))
        self._names = list(names)
        self._ages = _partition([row.age for row in rows])
        self.parts = [
            (segment, [_operands(block, scratch) for block in segment.blocks])
            for segment in segments
        ]
        filled = [place for place, row in enumerate(rows) if row.param.size]
        starts = accumulate([segment.rows for segment in segments], initial=0)
        self._first = [filled[start] for start, _ in zip(starts, segments, strict=False)]

    def holds(
        self,
        params: Sequence[Tensor],
        state: Mapping[Tensor, Mapping[str, Any]],
        names: Iterable[str],
        ages: Sequence[Any],
    ) -> bool:
        """Tell whether the plan was made of the same arrays, joined as their ages still allow."""
        if len(params) != len(self._held) or list(names) != self._names:
            return False
        for parameter, (known, row) in zip(params, self._held, strict=True):
            if (
                parameter is not known
                or parameter.data is not row.param
                or parameter.grad is None
                or parameter.grad.data is not row.grad
            ):
                return False
            kept = state.get(parameter, _NOTHING)
            for name, array in zip(self._names, row.state, strict=True):
                if name not in kept or kept[name].data is not array:
                    return False
        return _partition(ages) == self._ages

    def run(self, ages: Sequence[Any], kernel_of: Callable[[Any], Kernel]) -> None:
        """Update all blocks of parameters of these ages; each age has its kernel."""
        for (segment, blocks), first in zip(self.parts, self._first, strict=True):
            kernel = kernel_of(ages[first])
            segment.load()
            for block in blocks:
                kernel(*block)
            segment.store()


def _partition(ages: Sequence[Any]) -> list[int]:
    """Return numbers that are equal where ages are, and the same while all rows grow older."""
    if not ages or ages.count(ages[0]) == len(ages):
        return [0] * len(ages)
    numbers: dict[Any, int] = {}
    return [numbers.setdefault(age, len(numbers)) for age in ages]


def _operands(block: Sequence[Array], scratch: Scratch) -> tuple[Any, ...]:
    """Return the array module, two arrays like the block's, and the block."""
    xp = array_namespace(block[0])
    key = xp, block[0].dtype
    size = block[0].size
    if key not in scratch or scratch[key][0].size < size:
        length = max(size, BLOCK)
        scratch[key] = xp.empty(length, block[0].dtype), xp.empty(length, block[0].dtype)
    first, second = scratch[key]
    return (xp, first[:size], second[:size], *block)
