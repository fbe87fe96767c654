"""Sums along the tree of arrays that stay as they are."""

from collections.abc import Sequence

import numpy as np

from distgrad.backend import Array

__all__ = ["Addition"]

_PIECE = 2**17
"""Bytes of each array that are worked on at a time: what lies between the first read and the last
write stays in the cache of a core."""


class Addition:
    """Adds up NumPy arrays along the tree, which are the same ones each time.

    Args:
        parts: Equally long, in their order.
        additions: How many sums become due with each of them; see `Division`.
    """

    def __init__(self, parts: Sequence[Array], additions: Sequence[int]) -> None:
        size, dtype = parts[0].size, parts[0].dtype
        length = _PIECE // dtype.itemsize
        scratch = np.empty((len(parts), min(length, size)), dtype)
        self._pieces: list[tuple[slice, list[tuple[Array, Array, Array]], Array]] = []
        for start in range(0, size, length):
            piece = slice(start, start + length)
            sums: list[Array] = []
            steps: list[tuple[Array, Array, Array]] = []
            for part, due in zip(parts, additions, strict=True):
                sums.append(part[piece])
                for _ in range(due):
                    right = sums.pop()
                    place = scratch[len(sums), : right.size]
                    steps.append((sums[-1], right, place))
                    sums[-1] = place
            (total,) = sums
            self._pieces.append((piece, steps, total))

    def run(self, outs: Sequence[Array], divisor: float | None = None) -> None:
        """Write the sum, divided if there is a divisor, to each of ``outs``; none is a part."""
        first, *others = outs
        for piece, steps, total in self._pieces:
            for left, right, place in steps:
                np.add(left, right, place)
            if divisor is None:
                result = total
                first[piece] = result
            else:
                result = first[piece]
                np.divide(total, divisor, result)
            for other in others:
                other[piece] = result
