"""Exact distributed evaluation: every sample once, the same numbers for every number of ranks."""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from distgrad.autograd import no_grad
from distgrad.data import GlobalBatches, Window
from distgrad.data.checks import checked_integer, require_samples
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.exact_sum import ExactSum
from distgrad.distributed.record import Failure, LocalRecord
from distgrad.distributed.tree import contiguous_ranges
from distgrad.errors import Interrupted

__all__ = ["Measure", "evaluate"]

Measure: TypeAlias = Callable[[Any], Mapping[str, tuple[Any, float]]]

Totals: TypeAlias = dict[str, tuple[ExactSum, ExactSum]]
"""For each name (sum, count)."""


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
    totals: Totals = {}
    with no_grad():
        for index in contiguous_ranges(len(window), comm.size)[comm.rank]:
            if replica.stop_asked:
                break
            try:
                _add(totals, measure(window.micro_batch(index)))
            except Exception as error:
                local.failure = Failure(f"in evaluate, micro-batch {index}", error)
                break
    record = replica.gather_records(local, np.zeros(len(replica.parameters), np.bool_))
    if record.stop:
        raise Interrupted("the evaluation was left out: a rank was asked to stop")
    return _means(comm.all_gather_object(totals))


def _whole(dataset: Any, micro_batch_size: int) -> Window:
    """Return the dataset as one window, in its own order."""
    require_samples(dataset, "evaluate")
    size = checked_integer("micro_batch_size", micro_batch_size, minimum=1)
    (window,) = GlobalBatches(dataset, len(dataset), min(size, len(dataset)), shuffle=False)
    return window


def _add(totals: Totals, measured: Mapping[str, tuple[Any, float]]) -> None:
    for name, (value, count) in measured.items():
        total, total_count = totals.setdefault(name, (ExactSum(), ExactSum()))
        total.add(float(value))
        total_count.add(float(count))


def _means(parts: list[Totals]) -> dict[str, float]:
    means = {}
    for name in sorted(set().union(*parts)):
        total, count = ExactSum(), ExactSum()
        for part in parts:
            if name in part:
                total.merge(part[name][0])
                count.merge(part[name][1])
        means[name] = total.value / count.value if count.value else math.nan
    return means
