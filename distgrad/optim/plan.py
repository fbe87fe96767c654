"""`Plan`: how the memory of a group's parameters is walked through, kept from step to step."""

from collections.abc import Callable, Iterable, Sequence
from operator import is_
from typing import Any, TypeAlias

from distgrad.backend import Array, array_namespace
from distgrad.optim.segments import BLOCK, Row, Segment

__all__ = ["Kernel", "Plan", "Scratch"]

Kernel: TypeAlias = Callable[..., Any]
"""``kernel(xp, scratch, product, param, grad, *state)`` updates one block in place.

``scratch`` and ``product`` are two arrays of the block's length, to be overwritten.
"""

Scratch: TypeAlias = dict[Any, tuple[Array, Array]]
"""Two arrays as long as a block, which all blocks share, by array module and data type."""


class Plan:
    """The segments of one group, kept as long as all arrays stay the same objects.

    Args:
        rows: What the update of each parameter touches.
        segments: The rows' segments.
        scratch: Where the scratch arrays are found, or put.

    Attributes:
        parts: Each segment, with what a kernel is called with for each of its blocks.
    """

    def __init__(self, rows: Sequence[Row], segments: Iterable[Segment], scratch: Scratch) -> None:
        self._arrays = [array for row in rows for array in row.arrays]
        self._ages = _partition(rows)
        self.parts = [
            (segment, [_operands(block, scratch) for block in segment.blocks])
            for segment in segments
        ]

    def holds(self, rows: Sequence[Row]) -> bool:
        """Tell whether the plan was made of the same arrays, joined as their ages still allow."""
        arrays = [array for row in rows for array in row.arrays]
        return (
            len(arrays) == len(self._arrays)
            and all(map(is_, arrays, self._arrays))
            and _partition(rows) == self._ages
        )

    def run(self, rows: Sequence[Row], kernel_of: Callable[[Any], Kernel]) -> None:
        """Update all blocks; ``kernel_of`` gives the kernel of an age."""
        first = 0
        for segment, blocks in self.parts:
            kernel = kernel_of(rows[first].age)
            segment.load()
            for block in blocks:
                kernel(*block)
            segment.store()
            first += segment.rows


def _partition(rows: Sequence[Row]) -> list[int]:
    """Return numbers that are equal where ages are, and the same while all rows grow older."""
    numbers: dict[Any, int] = {}
    return [numbers.setdefault(row.age, len(numbers)) for row in rows]


def _operands(block: Sequence[Array], scratch: Scratch) -> tuple[Any, ...]:
    """Return the array module, two arrays like the block's, and the block."""
    xp = array_namespace(block[0])
    key = xp, block[0].dtype
    if key not in scratch:
        scratch[key] = xp.empty(BLOCK, block[0].dtype), xp.empty(BLOCK, block[0].dtype)
    first, second = scratch[key]
    size = block[0].size
    return (xp, first[:size], second[:size], *block)
