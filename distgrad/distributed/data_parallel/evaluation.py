"""Exact distributed evaluation: every sample once, the same numbers for every number of ranks."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from distgrad.autograd import no_grad
from distgrad.data import GlobalBatches, Window
from distgrad.data.checks import checked_integer, require_samples
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.exact_sum import ExactSum
from distgrad.distributed.named_sums import NamedSums
from distgrad.distributed.record import LocalRecord
from distgrad.distributed.tree import contiguous_ranges
from distgrad.errors import Interrupted

__all__ = ["Addends", "Measure", "evaluate", "exact_sums"]

Measure: TypeAlias = Callable[[Any], Mapping[str, tuple[Any, float]]]

Addends: TypeAlias = Callable[[Any], Mapping[str, Any]]


def evaluate(
    replica: Replica, measure: Measure, dataset: Any, micro_batch_size: int
) -> dict[str, float]:
    """Average measurements over a dataset that the ranks share.

    Args:
        replica: The model, and the ranks.
        measure: Maps a batch to {name: (sum, count)}; called without recording gradients.
        dataset: Its samples are taken in order, each once.
        micro_batch_size: Samples in a batch; the last one may be short.

    Returns:
        For each name the sum over the dataset divided by the count, both correctly rounded.

    Raises:
        Interrupted: On every rank, if one of them was asked to stop; what is left is not done.
    """

    def addends(batch: Any) -> dict[str, Any]:
        measured = measure(batch).items()
        sums = {f"sum {name}": value for name, (value, _) in measured}
        return sums | {f"count {name}": count for name, (_, count) in measured}

    totals = _totals(replica, addends, dataset, micro_batch_size)
    return {
        name.removeprefix("sum "): _mean(total, totals[name.replace("sum", "count", 1)])
        for name, total in totals.items()
        if name.startswith("sum ")
    }


def exact_sums(
    replica: Replica, addends: Addends, dataset: Any, micro_batch_size: int
) -> dict[str, Fraction | float]:
    """Add up numbers over a dataset that the ranks share; see `evaluate` for what is alike.

    Args:
        replica: The model, and the ranks.
        addends: Maps a batch to {name: number}, or to arrays all of whose elements are added.
        dataset: Its samples are taken in order, each once.
        micro_batch_size: Samples in a batch; the last one may be short.

    Returns:
        For each name the sum, which nothing has rounded; a float where it is not finite.
    """
    totals = _totals(replica, addends, dataset, micro_batch_size)
    return {name: total.exact for name, total in totals.items()}


def _totals(
    replica: Replica, addends: Addends, dataset: Any, micro_batch_size: int
) -> dict[str, ExactSum]:
    comm = replica.comm
    window = _whole(dataset, micro_batch_size)
    local = LocalRecord(f"evaluate of {window.samples} samples, {len(window)} micro-batches")
    sums = NamedSums()

    def add(index: int) -> None:
        for name, value in addends(window.micro_batch(index)).items():
            sums.add(name, value)

    with no_grad():
        for index in contiguous_ranges(len(window), comm.size)[comm.rank]:
            if not replica.stop_asked:
                local.attempt(f"in evaluate, micro-batch {index}", add, index)
    record = replica.gather_records(local, np.zeros(len(replica.parameters), np.bool_))
    if record.stop:
        raise Interrupted("the evaluation was left out: a rank was asked to stop")
    return sums.exact_over_ranks(comm)


def _mean(total: ExactSum, count: ExactSum) -> float:
    return total.value / count.value if count.value else math.nan


def _whole(dataset: Any, micro_batch_size: int) -> Window:
    """Return the dataset as one window, in its own order."""
    require_samples(dataset, "evaluate")
    size = checked_integer("micro_batch_size", micro_batch_size, minimum=1)
    (window,) = GlobalBatches(
        dataset, len(dataset), min(size, len(dataset)), shuffle=False, num_workers=0
    )
    return window
