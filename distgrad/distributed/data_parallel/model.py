"""`DataParallel`: one model on every rank, trained on global batches that the ranks share."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from distgrad.autograd import backward_into, random_scope
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.data_parallel.evaluation import Measure, evaluate
from distgrad.distributed.data_parallel.own_loop import Averaging, OwnLoop
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.data_parallel.statistics import StatisticsLog
from distgrad.distributed.record import (
    Failure,
    LocalRecord,
    StepRecord,
    checked_count,
)
from distgrad.distributed.tree import contiguous_ranges
from distgrad.nn import Module, Parameter
from distgrad.nn.utils import clip_grad_norm_
from distgrad.tensor import Tensor

__all__ = ["DataParallel", "StepResult", "Window"]

LossFunction = Callable[[Any], tuple[Tensor, float]]


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
        loss: The mean loss over the global batch; nan where the count is 0.
        loss_sum: Its sum.
        count: What it was divided by.
        finite: Whether the loss and every gradient is finite; if not, do not step. False too where
            the count is 0: then there are no gradients.
        micro_batches: Into how many the global batch was cut.
        stop: Whether a rank was asked to stop (`DataParallel.request_stop`): leave the loop.
    """

    loss: float
    loss_sum: float
    count: float
    finite: bool
    micro_batches: int
    stop: bool


class DataParallel:
    """A model whose replicas on all ranks stay the same, bit for bit.

    On construction the ranks compare names, shapes and data types of the parameters and take the
    values of rank 0. Parameters then lie in one flat array, and so do the gradients.

    Args:
        module: The model, built alike on every rank.
        comm: The ranks, from `distgrad.distributed.connect`.
        reduction: "tree", the same bits for every number of ranks, or "allreduce", MPI's own sum.

    Raises:
        UsageError: If the model differs between ranks.
        ValueError: If the reduction is unknown, the model has no parameters, or several data types.

    Example:
        >>> import distgrad as dg
        >>> import distgrad.nn.functional as F
        >>> data = dg.data.TensorDataset(x=dg.randn(40, 3), y=dg.randn(40, 1))
        >>> comm = dg.distributed.connect()
        >>> model = dg.distributed.DataParallel(dg.nn.Linear(3, 1), comm)
        >>> opt = dg.optim.SGD(model.parameters(), lr=0.1)
        >>> def loss(batch):
        ...     return F.mse_loss(model(batch.x), batch.y, reduction="sum"), len(batch.y)
        >>> for window in dg.data.GlobalBatches(data, 16, 4):
        ...     result = model.accumulate(loss, window)
        ...     if result.finite:
        ...         opt.step()
        >>> result.micro_batches, result.count
        (2, 8.0)
    """

    def __init__(self, module: Module, comm: Communicator, reduction: str = "tree") -> None:
        self.module = module
        self.comm = comm
        self._replica = Replica(module, comm, reduction)
        self._averaging = Averaging(self._replica)
        self._own_loop = OwnLoop(self._replica)
        self._statistics = StatisticsLog(module, comm)

    # The model

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the model on this rank."""
        output = self.module(*args, **kwargs)
        self._averaging.watch(output)
        return output

    def __repr__(self) -> str:
        return f"DataParallel(rank {self.comm.rank} of {self.comm.size}, {self.module!r})"

    def parameters(self) -> Iterator[Parameter]:
        """Return the parameters of the model, in its order."""
        return self.module.parameters()

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Return (name, parameter) pairs; the names are the model's own."""
        return self.module.named_parameters()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the model's own state: names carry no prefix."""
        return self.module.state_dict()

    def train(self, mode: bool = True) -> Self:
        """Set training mode, or evaluation mode."""
        self.module.train(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode."""
        return self.train(False)

    # A step over a window

    def accumulate(self, loss: LossFunction, window: Window) -> StepResult:
        """Make the gradient of the mean loss over the window; it replaces the gradients before.

        Each rank runs its share of the micro-batches; the gradients of all are summed and divided
        by the global count. With the tree reduction the result has the same bits for every number
        of ranks. Random draws inside ``loss`` are keyed by (seed, step, micro-batch, call).

        Running statistics, such as those of `BatchNorm2d`, follow all micro-batches of the window
        in their order, on every rank, once the step is known to be finite.

        Args:
            loss: Maps a micro-batch to (sum of the loss, count): a scalar Tensor and what it
                counts, such as samples or tokens. It may be called again for the same micro-batch.
            window: The global batch of the step.

        Raises:
            RankError: On every rank, if ``loss`` raised an exception on some rank.
            TrainingError: On every rank, if the ranks were given windows of different steps, or
                one of them does something else. After both errors gradients and parameters are as
                they were before the step.
        """
        leaves = contiguous_ranges(len(window), self.comm.size)
        self._replica.reduction.start(len(window), leaves)
        self._statistics.start()
        local = self._run_micro_batches(loss, window, leaves[self.comm.rank])
        record = self._replica.gather_records(local, self._replica.reduction.used())
        result = _step_result(record, self._replica.publish(record.count, record.used))
        if result.finite:
            self._statistics.apply()
        return result

    def _run_micro_batches(self, loss: LossFunction, window: Window, indices: range) -> LocalRecord:
        """Run this rank's share; after an exception the rest is left out."""
        step = window.step + 1  # people, and the random draws, count from 1
        local = LocalRecord(
            f"accumulate of step {step}, seed {window.seed}, {len(window)} micro-batches"
        )
        # What overflows is reported by the step's result, the same on all ranks.
        with self.no_sync(), np.errstate(all="ignore"):
            for index in indices:
                try:
                    with random_scope(window.seed, step, index), self._statistics.micro_batch():
                        local.add(*self._run(loss, window.micro_batch(index)))
                except Exception as error:
                    local.failure = Failure(f"at step {step}, micro-batch {index}", error)
                    break
        return local

    def _run(self, loss: LossFunction, batch: Any) -> tuple[float, float]:
        """Forward and backward pass of one micro-batch."""
        total, count = loss(batch)
        count = checked_count(count)
        reduction = self._replica.reduction
        backward_into(total, self._replica.writer(reduction.open()))
        reduction.close()
        return total.item(), count

    def request_stop(self) -> None:
        """Ask all ranks to stop together; a signal handler of any one rank may call it.

        The next record tells all ranks, which find it in the result of the same step; that step is
        whole. An evaluation is left out. What was asked stays asked.

        Example:
            >>> import distgrad as dg
            >>> comm = dg.distributed.connect()
            >>> model = dg.distributed.DataParallel(dg.nn.Linear(3, 1), comm)
            >>> model.request_stop()
            >>> model.backward(model(dg.ones(2, 3)).sum(), 2)
            >>> model.reduce().stop
            True
        """
        self._replica.stop_asked = True

    def clip_grad_norm_(self, max_norm: float, norm_type: float = 2.0) -> float:
        """Scale the gradients so that their norm is at most ``max_norm``; return the norm before.

        The norm is that of the mean gradient of the global batch, the same on every rank.
        """
        return float(clip_grad_norm_(self.parameters(), max_norm, norm_type))

    def evaluate(self, measure: Measure, dataset: Any, micro_batch_size: int) -> dict[str, float]:
        """Average measurements over a dataset that the ranks share: every sample once.

        The model is in evaluation mode meanwhile, and no gradients are recorded.

        Args:
            measure: Maps a batch to {name: (sum, count)}.
            dataset: What to go through, in order.
            micro_batch_size: Samples in a batch; the last one may be short.

        Returns:
            For each name the sum divided by the count, the same for every number of ranks.

        Raises:
            RankError: On every rank, if ``measure`` raised an exception on some rank.
            TrainingError: On every rank, if one of them does something else.
            Interrupted: On every rank, if one of them was asked to stop.
            ValueError: If the dataset is empty, or ``micro_batch_size`` not positive.
        """
        modes = [(module, module.training) for module in self.module.modules()]
        self.eval()
        try:
            return evaluate(self._replica, measure, dataset, micro_batch_size)
        finally:
            for module, training in modes:
                module.training = training

    # Loops of the user's own

    def backward(self, loss_sum: Tensor, count: float) -> None:
        """Run the backward pass of one micro-batch of an own loop; `reduce` ends the step.

        Unlike in `accumulate`, the bits depend on the number of ranks, random draws are not keyed
        by the micro-batch, running statistics follow what this rank sees, at once, and an exception
        on one rank is not told to the others.

        Args:
            loss_sum: The sum of the loss over the micro-batch, a scalar.
            count: What it counts.
        """
        self._own_loop.backward(loss_sum, count)

    def reduce(self) -> StepResult:
        """Make the exact mean over the micro-batches that all ranks gave to `backward`.

        Every rank calls it once a step, also one that had no micro-batch.
        """
        return _step_result(*self._own_loop.reduce())

    def no_sync(self) -> AbstractContextManager[None]:
        """Accumulate local gradients only, as PyTorch's ``DistributedDataParallel.no_sync`` does.

        Outside it, ``loss.backward()`` averages ``.grad`` over the ranks, by their number. The
        forward pass decides: run it inside the block. With both, running statistics follow what
        this rank sees.
        """
        return self._averaging.suspended()


def _step_result(record: StepRecord, finite: bool) -> StepResult:
    return StepResult(
        record.loss,
        record.loss_sum,
        record.count,
        finite and math.isfinite(record.loss_sum),
        record.micro_batches,
        record.stop,
    )
