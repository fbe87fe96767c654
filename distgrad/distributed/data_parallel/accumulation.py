"""A step over a window: this rank's micro-batches, then what all ranks make of them together."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np

from distgrad.autograd import backward_into, random_scope
from distgrad.backend import Array
from distgrad.distributed.data_parallel.losses import (
    CountFunction,
    LossFunction,
    OneLoss,
    PenaltyFunction,
    SeveralLosses,
    Totals,
)
from distgrad.distributed.data_parallel.passes import Passes
from distgrad.distributed.data_parallel.precision import LossScale
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.data_parallel.statistics import StatisticsLog
from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.distributed.named_sums import NamedSums
from distgrad.distributed.record import LocalRecord, StepRecord, checked_count
from distgrad.distributed.tree import contiguous_ranges

__all__ = ["Accumulation", "Observer", "StepResult", "Window", "step_result"]

Observer: TypeAlias = Callable[[int, float, float, Mapping[str, Array]], None]
"""Is shown a micro-batch: its number, its loss, what that counts, its gradients by name."""


class Window(Protocol):
    """The global batch of one step, cut into micro-batches; see `distgrad.data.GlobalBatches`."""

    @property
    def seed(self) -> int:
        """Keys the random draws of the step, with its number."""

    @property
    def step(self) -> int:
        """The number of steps before it."""

    def __len__(self) -> int:
        """Return the number of micro-batches."""

    def micro_batch(self, index: int) -> Any:
        """Return one micro-batch: the same on any rank, and however often it is asked for."""


@dataclass(frozen=True)
class StepResult:
    """What a step did, the same on every rank.

    Attributes:
        loss: The mean loss over the global batch; nan where the count is 0. Of several losses the
            sum of their means.
        loss_sum: What was divided by the count.
        count: What it was divided by; 1 where each of several losses was divided by its own.
        finite: Whether the loss and every gradient is finite; if not, do not step. False too where
            the count is 0: then there are no gradients.
        micro_batches: Into how many the global batch was cut.
        stop: Whether a rank was asked to stop (`DataParallel.request_stop`): leave the loop.
        losses: The mean of each of several losses, by name.
        penalty: What was added to the loss; 0 without a penalty.
        loss_scale: What the loss was multiplied with against underflow in half precision, else 1.
            The gradients are divided by it.
        overflow: Whether it was too large: a gradient is not finite, the loss is, and the next step
            has a smaller scale.
    """

    loss: float
    loss_sum: float
    count: float
    finite: bool
    micro_batches: int
    stop: bool
    losses: Mapping[str, float] = field(default_factory=dict, hash=False)
    penalty: float = 0.0
    loss_scale: float = 1.0
    overflow: bool = False


class Accumulation:
    """Runs one step after the other.

    Args:
        replica: The parameters, and the ranks.
        statistics: The running statistics of the model.
        local_only: A context in which ``loss.backward()`` is not averaged over ranks.
        passes: Runs micro-batches.
    """

    def __init__(
        self,
        replica: Replica,
        statistics: StatisticsLog,
        local_only: Callable[[], AbstractContextManager[None]],
        passes: Passes,
    ) -> None:
        self._replica = replica
        self._statistics = statistics
        self._local_only = local_only
        self._passes = passes

    def run(
        self,
        loss: LossFunction,
        window: Window,
        counts: CountFunction | None,
        penalty: PenaltyFunction | None,
        observer: Observer | None,
    ) -> StepResult:
        """See `DataParallel.accumulate`."""
        replica, comm = self._replica, self._replica.comm
        losses = SeveralLosses(self._global_counts(counts, window)) if counts else OneLoss()
        leaves = contiguous_ranges(len(window), comm.size)
        replica.reduction.start(len(window), leaves)
        self._statistics.start()
        local = LocalRecord(f"accumulate of {_described(window)}")
        added = _Penalty(replica)
        # What overflows is reported by the step's result, the same on all ranks.
        with self._local_only(), np.errstate(all="ignore"):
            with self._in_half_precision():
                words = window.seed, window.step + 1
                local.attempt(_place(window, "start"), self._passes.start, loss, losses, *words)
                for index in leaves[comm.rank]:
                    place = _place(window, f"micro-batch {index}")
                    local.attempt(place, self._run_micro_batch, window, index, local, observer)
            if penalty:
                local.attempt(_place(window, "penalty"), added.run, penalty, window)
        record = replica.gather_records(local, replica.reduction.used())
        totals = losses.totals(record, comm)
        scale = replica.loss_scale
        factor = scale.value if scale else None
        finite = replica.publish(totals.count * (factor or 1.0), record, added.gradient)
        result = step_result(record, totals, finite, added.value, factor)
        if result.finite:
            self._statistics.apply()
        if scale and (result.finite or result.overflow):
            scale.follow(result.finite)
        return result

    @contextmanager
    def _in_half_precision(self) -> Iterator[None]:
        """Let the model compute in half precision, if it shall."""
        half = self._replica.half
        if half is None:
            yield
            return
        half.refresh()
        with half.worn():
            yield

    def _run_micro_batch(
        self, window: Window, index: int, local: LocalRecord, observer: Observer | None
    ) -> None:
        """Forward and backward pass of one micro-batch."""
        scope = random_scope(window.seed, window.step + 1, index)
        with scope, self._statistics.micro_batch():
            batch = window.micro_batch(index)
            value, count, buffer = self._passes.run(batch, index)
            if observer:
                observer(index, value, count, self._replica.named(buffer))
            self._replica.reduction.close()
            local.add(value, count)

    def _global_counts(self, counts: CountFunction, window: Window) -> dict[str, float]:
        """Return the counts of several losses, added up over the window."""
        replica, comm = self._replica, self._replica.comm
        sums = NamedSums()
        local = LocalRecord(f"counts of {_described(window)}")

        def count(index: int) -> None:
            for name, value in counts(window.micro_batch(index)).items():
                sums.add(name, checked_count(value))

        for index in contiguous_ranges(len(window), comm.size)[comm.rank]:
            local.attempt(_place(window, f"counts of micro-batch {index}"), count, index)
        replica.gather_records(local, np.zeros(len(replica.parameters), np.bool_))
        return sums.over_ranks(comm)


class _Penalty:
    """A term of the loss that no samples count: each rank adds the same to the mean gradient."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self.value = 0.0
        self.gradient: GradientBuffer | None = None

    def run(self, penalty: PenaltyFunction, window: Window) -> None:
        """Forward and backward pass, with random draws keyed as if behind the last micro-batch."""
        gradient = GradientBuffer(self._replica.layout, self._replica.xp)
        with random_scope(window.seed, window.step + 1, len(window)):
            value = penalty()
            backward_into(value, self._replica.writer(gradient))
        gradient.fill()
        self.value, self.gradient = value.item(), gradient


def step_result(
    record: StepRecord,
    totals: Totals,
    finite: bool,
    penalty: float = 0.0,
    loss_scale: float | None = None,
) -> StepResult:
    """Return what a step did, from what all ranks know of it."""
    has_finite_loss = math.isfinite(totals.loss_sum) and math.isfinite(penalty)
    return StepResult(
        totals.loss_sum / totals.count if totals.count else math.nan,
        totals.loss_sum,
        totals.count,
        finite and has_finite_loss,
        record.micro_batches,
        record.stop,
        totals.means,
        penalty,
        1.0 if loss_scale is None else loss_scale,
        bool(totals.count)
        and has_finite_loss
        and not finite
        and loss_scale is not None
        and loss_scale > LossScale.LEAST,
    )


def _described(window: Window) -> str:
    """What the ranks compare: people, and the random draws, count steps from 1."""
    return f"step {window.step + 1}, seed {window.seed}, {len(window)} micro-batches"


def _place(window: Window, what: str) -> str:
    return f"at step {window.step + 1}, {what}"
