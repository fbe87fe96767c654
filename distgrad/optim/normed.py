"""`NormedOptimizer`: steps whose length follows the norms of a parameter and of its update.

A norm is made of one partial sum a block, as those of clipping are: see
`distgrad.nn.utils.power_sums`. Blocks end at multiples of 64K elements of the flat array in which a
parameter lies, and so do the slices of ranks: a norm has the same bits wherever its blocks are
summed up.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from distgrad.backend import Array
from distgrad.nn.utils import combine_power_sums, power_sums
from distgrad.optim.flat_optimizer import FlatOptimizer, Work
from distgrad.optim.optimizer import ParamGroup
from distgrad.optim.plan import Kernel
from distgrad.optim.segments import Row, Segment, separate_rows

__all__ = ["BlockSums", "NormedOptimizer", "Norms"]

BlockSums: TypeAlias = list[list[list[float]]]
"""For each parameter the sums of squares of its blocks, and those of its update."""


class Norms(NamedTuple):
    """The norms of a parameter and of its update."""

    param: float
    update: float


class NormedOptimizer(FlatOptimizer):
    """Base of the optimizers that scale the update of a parameter by norms over all of it.

    A subclass says in `_measure` of what the norms are, and in `_kernel` how a block is updated
    once they are known.

    Attributes:
        all_gather: Returns the sums of all ranks, where each has a slice of the parameters.
    """

    all_gather: Callable[[BlockSums], Sequence[BlockSums]] = staticmethod(lambda sums: [sums])

    @abstractmethod
    def _measure(self, group: ParamGroup, age: Any) -> Callable[..., tuple[Array, Array]]:
        """Return what gives, with the arguments of a kernel, a block's parameter and update."""

    @abstractmethod
    def _kernel(self, group: ParamGroup, age: Any, norms: Norms) -> Kernel:
        """Return the update of a parameter with these norms, for the ``age``-th time."""

    def _update(self) -> None:
        works = [self._prepared(place, group) for place, group in enumerate(self.param_groups)]
        own = [sums for work in works for sums in self._block_sums(work)]
        norms = _combined(self.all_gather(own))
        for work in works:
            self._step(work, norms)
            self._finish(work)

    def _segments(self, rows: Iterable[Row]) -> list[Segment]:
        return separate_rows(rows)

    def _block_sums(self, work: Work) -> Iterator[list[list[float]]]:
        parts = iter(work.plan.parts)
        for parameter, age in zip(work.active, work.ages, strict=True):
            if parameter.data.size:
                segment, blocks = next(parts)
                segment.load()
                measure = self._measure(work.group, age)
                # One sum an array, because none is longer than a block; taken before the next
                # block overwrites what they are of.
                sums = power_sums(array for block in blocks for array in measure(*block))
                yield [sums[0::2], sums[1::2]]
            else:
                yield [[], []]

    def _step(self, work: Work, norms: Iterator[Norms]) -> None:
        parts = iter(work.plan.parts)
        for parameter, age in zip(work.active, work.ages, strict=True):
            kernel = self._kernel(work.group, age, next(norms))
            if parameter.data.size:
                segment, blocks = next(parts)
                for block in blocks:
                    kernel(*block)
                segment.store()

    def __getstate__(self) -> dict[str, Any]:
        # Who shares the parameters of a copy is not known.
        return {k: v for k, v in super().__getstate__().items() if k != "all_gather"}


def _combined(of_ranks: Sequence[BlockSums]) -> Iterator[Norms]:
    for of_parameter in zip(*of_ranks, strict=True):
        params, updates = zip(*of_parameter, strict=True)
        yield Norms(*(combine_power_sums(chain.from_iterable(sums)) for sums in (params, updates)))
