"""Gradient buffers that the ranks of a machine see."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from distgrad.backend import Array
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.distributed.shared_memory import share
from distgrad.flat import FlatLayout

__all__ = ["SharedBuffers"]

Share: TypeAlias = Callable[[Communicator, Sequence[int]], dict[int, Array]]
"""Makes so many bytes on each rank, which the others see; see `share`."""


class SharedBuffers:
    """Buffers of all ranks, each of which can read those of its machine.

    Args:
        layout: Where the gradient of each parameter lies.
        comm: The ranks.
        share: Makes memory that they see. Default: `share`, for NumPy.

    Attributes:
        own: Those of this rank; behind the shared ones there may be some that are not.
        flat: The arrays of the shared ones, by rank; none of ranks elsewhere.
    """

    def __init__(self, layout: FlatLayout, comm: Communicator, share: Share = share) -> None:
        self.own: list[GradientBuffer] = []
        self.flat: list[list[Array]] = [[] for _ in range(comm.size)]
        self._layout = layout
        self._comm = comm
        self._share = share
        self._numbers = [0] * comm.size

    def grow(self, numbers: Sequence[int]) -> None:
        """Share at least so many buffers of each rank, with what they hold; all ranks call it.

        Raises:
            NotSharedError: On every rank, if that fails on one of them; then all is as before.
        """
        missing = [max(0, n - have) for n, have in zip(numbers, self._numbers, strict=True)]
        if not any(missing):
            return
        layout = self._layout
        nbytes = layout.size * layout.dtype.itemsize
        for rank, memory in self._share(self._comm, [nbytes * more for more in missing]).items():
            self.flat[rank].extend(memory.view(layout.dtype).reshape(missing[rank], layout.size))
        self._numbers = [have + n for have, n in zip(self._numbers, missing, strict=True)]
        for number, flat in enumerate(self.flat[self._comm.rank]):
            if number == len(self.own):
                self.own.append(GradientBuffer(layout, flat=flat))
            elif self.own[number].flat is not flat:
                self.own[number].move(flat)
        self._comm.barrier()  # what the others hold has been moved, too

    def parts(self, numbers: Sequence[int], kept: slice) -> list[Array]:
        """Return what is kept of the first so many buffers of each rank; all ranks call it.

        Raises:
            NotSharedError: As `grow`, which sees to it that there are so many.
        """
        self.grow(numbers)
        of_ranks = zip(self.flat, numbers, strict=True)
        return [flat[kept] for shared, number in of_ranks for flat in shared[:number]]
