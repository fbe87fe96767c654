"""`NamedSums`: exact sums by name, added up over ranks that need not know the same names."""

from collections import defaultdict
from typing import SupportsFloat

from distgrad.backend import Array, array_namespace, to_host
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.exact_sum import ExactSum

__all__ = ["NamedSums"]


class NamedSums:
    """Sums of floats in which no order and no division among ranks leaves a trace.

    Example:
        >>> from distgrad.distributed import SingleProcess
        >>> sums = NamedSums()
        >>> sums.add("tokens", 3)
        >>> sums.add("tokens", 4)
        >>> sums.over_ranks(SingleProcess())
        {'tokens': 7.0}
    """

    def __init__(self) -> None:
        self._sums: defaultdict[str, ExactSum] = defaultdict(ExactSum)

    def add(self, name: str, value: SupportsFloat | Array) -> None:
        """Add a number, or all elements of an array, to the sum of that name."""
        if isinstance(value, array_namespace(value).ndarray):
            self._sums[name].add_all(to_host(value))
        else:
            self._sums[name].add(float(value))

    def over_ranks(self, comm: Communicator) -> dict[str, float]:
        """Return the sums over all ranks, sorted by name; every rank calls it."""
        return {name: total.value for name, total in self.exact_over_ranks(comm).items()}

    def exact_over_ranks(self, comm: Communicator) -> dict[str, ExactSum]:
        """Return the sums over all ranks before they are rounded, sorted by name."""
        totals: defaultdict[str, ExactSum] = defaultdict(ExactSum)
        for sums in comm.all_gather_object(dict(self._sums)):
            for name, value in sums.items():
                totals[name].merge(value)
        return {name: totals[name] for name in sorted(totals)}
