"""The order of a sum: one balanced binary tree over the micro-batches, whoever holds them.

The leaves are the micro-batches 0 to count - 1 of a step. A node of the tree covers the leaves
from i * 2**k up to (i + 1) * 2**k, cut off at count; its value is the sum of its two halves, or
that of the first half where the second is empty. The tree depends on ``count`` alone, so the bits
of the sum do not depend on which rank adds up which part. A balanced tree also rounds less than a
running sum: its error grows with log2(count) (N. J. Higham, "The accuracy of floating point
summation", SIAM J. Sci. Comput. 14, 1993).
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Division", "TreeSum", "contiguous_ranges", "divided", "joined"]

T = TypeVar("T")


@lru_cache(maxsize=16)
def contiguous_ranges(count: int, ranks: int) -> tuple[range, ...]:
    """Divide the leaves 0 to count - 1 among the ranks.

    No rank gets more than ceil(count / ranks). Within that, each boundary is the most even number
    possible, so that a rank's leaves make few subtrees, and so few arrays to exchange. Where there
    is too little for all, the last ranks are idle.

    Example:
        >>> contiguous_ranges(8, 4)
        (range(0, 2), range(2, 4), range(4, 6), range(6, 8))
        >>> contiguous_ranges(8, 3)
        (range(0, 2), range(2, 5), range(5, 8))
        >>> contiguous_ranges(3, 4)
        (range(0, 1), range(1, 2), range(2, 3), range(3, 3))
    """
    most = -(-count // ranks)
    ranges = []
    start = 0
    for rank in range(ranks):
        last = min(start + most, count)
        first = max(start + 1, count - most * (ranks - rank - 1))
        stop = max(range(first, last + 1), key=_evenness, default=last)
        ranges.append(range(start, stop))
        start = stop
    return tuple(ranges)


def _evenness(number: int) -> tuple[int, int]:
    """The largest power of two that divides the number; among equals the larger number wins."""
    return number & -number, number


class Division(NamedTuple):
    """What a division of the leaves among ranks makes of the tree.

    Attributes:
        leaves: How many there are.
        parts: The leaves of each partial sum that a rank ends with, for each rank.
        additions: For each rank, how many sums become due with each of its leaves.
        across: The same for the partial sums of all ranks, in order.
    """

    leaves: int
    parts: tuple[tuple[range, ...], ...]
    additions: tuple[tuple[int, ...], ...]
    across: tuple[int, ...]

    @property
    def subtrees(self) -> tuple[int, ...]:
        """How many partial sums each rank ends with."""
        return tuple([len(parts) for parts in self.parts])


@lru_cache(maxsize=16)
def divided(count: int, leaves: tuple[range, ...]) -> Division:
    """Return how the sum of ``count`` leaves goes where rank r has ``leaves[r]``.

    Example:
        >>> division = divided(6, (range(0, 2), range(2, 5), range(5, 6)))
        >>> division.parts
        ((range(0, 2),), (range(2, 4), range(4, 5)), (range(5, 6),))
        >>> division.additions, division.across
        (((0, 1), (0, 1, 0), (0,)), (0, 1, 0, 2))
    """
    of_ranks = [joined([range(leaf, leaf + 1) for leaf in own], count) for own in leaves]
    _, across = joined([part for parts, _ in of_ranks for part in parts], count)
    return Division(
        count,
        tuple([parts for parts, _ in of_ranks]),
        tuple([additions for _, additions in of_ranks]),
        across,
    )


def joined(nodes: Iterable[range], count: int) -> tuple[tuple[range, ...], tuple[int, ...]]:
    """Add up nodes of the tree over ``count`` leaves, each of which begins where the last ends.

    Returns:
        The nodes that they add up to, and how many sums become due with each of them.
    """
    names: TreeSum[None] = TreeSum(count, lambda _left, _right: None)
    additions = []
    for node in nodes:
        held = len(names.parts)
        names.push(node, None)
        additions.append(held + 1 - len(names.parts))
    return tuple([part for part, _ in names.parts]), tuple(additions)


class TreeSum(Generic[T]):
    """Adds up nodes of the tree that arrive in order, keeping as few as possible.

    Over k leaves it holds at most log2(k) + 1 values: a binary counter.

    Args:
        count: The number of leaves of the whole tree.
        add: ``add(left, right)`` returns the sum of two siblings.

    Example:
        >>> total = TreeSum(4, lambda left, right: f"({left}+{right})")
        >>> for leaf in range(4):
        ...     total.push(range(leaf, leaf + 1), str(leaf))
        >>> total.parts
        [(range(0, 4), '((0+1)+(2+3))')]
    """

    def __init__(self, count: int, add: Callable[[T, T], T]) -> None:
        self.parts: list[tuple[range, T]] = []
        """The nodes held now, with their values, in order."""
        self._count = count
        self._add = add

    def push(self, leaves: range, value: T) -> None:
        """Take the node over ``leaves``, which begins where the last one ended."""
        self.parts.append((leaves, value))
        while len(self.parts) > 1 and self._siblings(self.parts[-2][0], self.parts[-1][0]):
            right, right_value = self.parts.pop()
            left, left_value = self.parts.pop()
            self.parts.append((range(left.start, right.stop), self._add(left_value, right_value)))

    def _siblings(self, left: range, right: range) -> bool:
        width = len(left)
        return (
            width & (width - 1) == 0
            and left.start % (2 * width) == 0
            and right.stop == min(left.start + 2 * width, self._count)
        )
