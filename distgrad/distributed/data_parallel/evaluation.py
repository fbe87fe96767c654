"""Exact distributed evaluation: every sample once, the same numbers for every number of ranks."""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from distgrad.autograd import no_grad
from distgrad.data import GlobalBatches, Window
from distgrad.data.checks import checked_integer, require_samples
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.named_sums import NamedSums
from distgrad.distributed.record import LocalRecord
from distgrad.distributed.tree import contiguous_ranges
from distgrad.errors import Interrupted

__all__ = ["Measure", "evaluate"]

Measure: TypeAlias = Callable[[Any], Mapping[str, tuple[Any, float]]]


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
        For each name the sum over the dataset divided by the count, correctly rounded.

    Raises:
        Interrupted: On every rank, if one of them was asked to stop; what is left is not done.
    """
    comm = replica.comm
    window = _whole(dataset, micro_batch_size)
    local = LocalRecord(f"evaluate of {window.samples} samples, {len(window)} micro-batches")
    sums, counts = NamedSums(), NamedSums()

    def add(index: int) -> None:
        for name, (value, count) in measure(window.micro_batch(index)).items():
            sums.add(name, value)
            counts.add(name, count)

    with no_grad():
        for index in contiguous_ranges(len(window), comm.size)[comm.rank]:
            if not replica.stop_asked:
                local.attempt(f"in evaluate, micro-batch {index}", add, index)
    record = replica.gather_records(local, np.zeros(len(replica.parameters), np.bool_))
    if record.stop:
        raise Interrupted("the evaluation was left out: a rank was asked to stop")
    totals = counts.over_ranks(comm)
    return {
        name: value / totals[name] if totals[name] else math.nan
        for name, value in sums.over_ranks(comm).items()
    }


def _whole(dataset: Any, micro_batch_size: int) -> Window:
    """Return the dataset as one window, in its own order."""
    require_samples(dataset, "evaluate")
    size = checked_integer("micro_batch_size", micro_batch_size, minimum=1)
    (window,) = GlobalBatches(dataset, len(dataset), min(size, len(dataset)), shuffle=False)
    return window
