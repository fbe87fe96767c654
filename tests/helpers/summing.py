"""Steps of a reduction on numbers that depend on the leaf alone, and machines that are none."""

import numpy as np

from distgrad.distributed.reduction import REDUCTIONS
from distgrad.distributed.tree import contiguous_ranges


class OnMachines:
    """A communicator whose ranks say that they are on other machines than they are."""

    def __init__(self, comm, names):
        self._comm = comm
        self.host = names[comm.rank]

    def __getattr__(self, name):
        return getattr(self._comm, name)


def sums(comm, layout, counts, transport="auto", reduction="tree", divided=contiguous_ranges):
    """What a rank gets in steps of so many leaves, and what it says of the way."""
    summing = REDUCTIONS[reduction](layout, comm, np, transport)
    kept = slice(None)
    if summing.bounds is not None:
        kept = slice(*summing.bounds[comm.rank :][:2])
    results = []
    for step, count in enumerate(counts):
        leaves = divided(count, comm.size)
        summing.start(count, leaves)
        for leaf in leaves[comm.rank]:
            rng = np.random.default_rng([step, leaf])
            gradients = summing.open()
            for index, segment in enumerate(layout):
                if rng.random() < 0.8:
                    gradients.write(index, rng.random(segment.shape, layout.dtype) - 0.5)
            summing.close()
        out = np.full(layout.size, np.nan, layout.dtype)[kept]
        load = summing.load()
        loads = comm.all_gather(np.zeros(1) if load is None else load)  # as the records do
        summing.finish(float(count), out, None if load is None else loads)
        results.append(out)
    return results, summing.transport
