"""The parts of a step's sum: what each rank has added up itself, before the ranks combine them."""

from itertools import pairwise
from typing import Protocol

from distgrad.backend import Array
from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.distributed.tree import Division
from distgrad.flat import BLOCK

__all__ = ["Parts", "owner_bounds", "owner_slices"]


class Parts(Protocol):
    """The parts of all ranks, and the way in which they come together."""

    @property
    def told(self) -> str:
        """What is to be said of the way."""

    @property
    def buffers(self) -> list[GradientBuffer]:
        """Where this rank makes its next parts, part i in buffer i; who needs more appends them."""

    def load(self, number: int) -> Array | None:
        """Return what this rank sends with its record; see `Reduction.load`.

        Args:
            number: How many parts it has.
        """

    def prepare(self, division: Division) -> None:
        """Get ready to add up the parts of such a division.

        All ranks call it, behind the record: only there do they know that they work at the same.

        Raises:
            NotSharedError: On every rank, if memory cannot be shared; `buffers` hold the parts.
        """

    def finish(self, divisor: float, out: Array, loads: Array | None) -> None:
        """Write what this rank gets of the sum of all parts, divided, to ``out``.

        ``loads`` are those of all ranks, stacked; they are used as scratch.
        """

    def gather(self, array: Array) -> None:
        """Bring an array up to date, of which each rank has changed its slice; all ranks call it.

        Args:
            array: As long as the gradient, and of its type; see `owner_bounds` for the slices.
        """


def owner_bounds(size: int, ranks: int) -> list[int]:
    """Divide a flat array into one slice a rank: rank r owns bounds[r] to bounds[r + 1].

    Slices begin at multiples of 65,536 elements; of a small array the last ranks own nothing.

    Example:
        >>> owner_bounds(200_000, 2)
        [0, 131072, 200000]
    """
    blocks = -(-size // BLOCK)
    return [min(size, -(-blocks * rank // ranks) * BLOCK) for rank in range(ranks + 1)]


def owner_slices(size: int, ranks: int) -> list[slice]:
    """Return the slices of `owner_bounds`.

    Example:
        >>> owner_slices(200_000, 2)
        [slice(0, 131072, None), slice(131072, 200000, None)]
    """
    return [slice(*ends) for ends in pairwise(owner_bounds(size, ranks))]
