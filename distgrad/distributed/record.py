"""The record that every rank sends once a step, so that all ranks take the same decision.

It travels before the gradients, or with them where they are few: what the rank is doing, its share
of the loss and of the count, which parameters have a gradient, and whether it failed. Its size does
not depend on what it says: so ranks that have lost step with each other find out here, instead of
mixing their messages.
"""

import math
import struct
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from distgrad.backend import Array
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.exact_sum import ExactSum
from distgrad.errors import RankError, TrainingError

__all__ = ["Failure", "LocalRecord", "StepRecord", "checked_count", "gather_records"]

_FORMAT = struct.Struct(f"<128s{ExactSum.SIZE}s{ExactSum.SIZE}sq??I")


@dataclass(frozen=True)
class Failure:
    """An exception, and where in the call it was raised, such as "at step 3, micro-batch 7"."""

    where: str
    error: Exception


@dataclass
class LocalRecord:
    """What one rank has to say.

    Attributes:
        call: What the rank is doing, the same text on all ranks, at most 128 bytes.
        loss: The sum of its losses.
        count: The sum of its counts.
        micro_batches: How many of them it ran.
        failure: What went wrong, if anything did.
        stop: Whether it was asked to stop.
        checksum: Of a part of its parameters, which are to be the same on all ranks.
    """

    call: str
    loss: ExactSum = field(default_factory=ExactSum)
    count: ExactSum = field(default_factory=ExactSum)
    micro_batches: int = 0
    failure: Failure | None = None
    stop: bool = False
    checksum: int = 0

    def add(self, loss_sum: float, count: float) -> None:
        """Enter one micro-batch."""
        self.loss.add(loss_sum)
        self.count.add(count)
        self.micro_batches += 1

    def attempt(self, where: str, work: Callable[..., None], *args: Any) -> None:
        """Do ``work(*args)`` unless something failed before, and enter what it raises."""
        if self.failure is None:
            try:
                work(*args)
            except Exception as error:
                self.failure = Failure(where, error)


@dataclass(frozen=True)
class StepRecord:
    """What all ranks know of a step, the same on every rank.

    Attributes:
        loss_sum: The loss summed over the global batch; correctly rounded, whatever the order.
        count: The global count.
        used: For each parameter, whether any micro-batch gave it a gradient.
        micro_batches: How many micro-batches all ranks ran.
        stop: Whether any rank was asked to stop.
        alike: Whether all ranks have the same checksum.
        loads: What the ranks sent with their records, stacked; None where that was nothing.
    """

    loss_sum: float
    count: float
    used: Array
    micro_batches: int
    stop: bool
    alike: bool
    loads: Array | None = None

    @property
    def loss(self) -> float:
        """The mean loss; nan where the count is 0."""
        return self.loss_sum / self.count if self.count else math.nan


def gather_records(
    comm: Communicator, local: LocalRecord, used: Array, load: Array | None = None
) -> StepRecord:
    """Exchange the records of all ranks and combine them.

    Args:
        comm: The ranks.
        local: What this rank has to say.
        used: For each parameter of the model, whether this rank has a gradient for it.
        load: A vector that travels with the record; as long on all ranks, whatever they do.

    Raises:
        TrainingError: On every rank, if the ranks are not doing the same.
        RankError: On every rank, if one of them failed.
    """
    rows = comm.all_gather(_message(local, used, load))
    calls, losses, counts, micro_batches, failed, stop, checksums = zip(
        *[_FORMAT.unpack_from(row) for row in rows], strict=True
    )
    if len(set(calls)) > 1:
        raise TrainingError(_out_of_step([call.rstrip(b"\0").decode() for call in calls]))
    if any(failed):
        _raise_on_all_ranks(comm, local.failure)
    loss, count = ExactSum(), ExactSum()
    for rank in range(comm.size):
        loss.merge(ExactSum.from_bytes(losses[rank]))
        count.merge(ExactSum.from_bytes(counts[rank]))
    used_anywhere = np.bitwise_or.reduce(rows[:, _FORMAT.size : _FORMAT.size + used.size])
    return StepRecord(
        loss.value,
        count.value,
        used_anywhere.view(np.bool_),
        sum(micro_batches),
        any(stop),
        len(set(checksums)) == 1,
        None if load is None else rows[:, rows.shape[1] - load.nbytes :].view(load.dtype),
    )


def _message(local: LocalRecord, used: Array, load: Array | None) -> Array:
    """Return the bytes of a record; those of the load come last, and begin at a multiple of 64."""
    end = _FORMAT.size + used.size
    start = -(-end // 64) * 64
    message = np.empty(start + (0 if load is None else load.nbytes), np.uint8)
    _FORMAT.pack_into(
        message.data,
        0,
        local.call.encode(),
        local.loss.to_bytes(),
        local.count.to_bytes(),
        local.micro_batches,
        local.failure is not None,
        local.stop,
        local.checksum,
    )
    message[_FORMAT.size : end] = used
    if load is not None:
        message[start:].view(load.dtype)[:] = load
    return message


def _out_of_step(calls: Sequence[str]) -> str:
    doing = [
        f"rank {', '.join(str(rank) for rank, other in enumerate(calls) if other == call)}: {call}"
        for call in dict.fromkeys(calls)
    ]
    return (
        f"the ranks are out of step ({'; '.join(doing)}); every rank must make the same calls in "
        "the same order, with the same windows"
    )


def _raise_on_all_ranks(comm: Communicator, own: Failure | None) -> NoReturn:
    """Raise a `RankError` that names the first rank that failed; chained to this rank's own."""
    error = own.error if own else None
    told = comm.all_gather_object(
        own and (comm.host, own.where, repr(error), "".join(traceback.format_exception(error)))
    )
    rank, (host, where, text, trace) = next((r, t) for r, t in enumerate(told) if t is not None)
    failure = RankError(f"rank {rank} of {comm.size} on {host} failed {where}: {text}", rank)
    if rank != comm.rank:
        failure.add_note(f"traceback of rank {rank}:\n{trace}")
    raise failure from error


def checked_count(count: float) -> float:
    """Return what a loss counts as a float, refusing what no mean can be divided by.

    Raises:
        ValueError: If it is negative or not finite.
    """
    number = float(count)
    if not math.isfinite(number) or number < 0:
        raise ValueError(
            f"a loss is (loss_sum, count) with a finite count of at least 0, got count {count!r}"
        )
    return number
