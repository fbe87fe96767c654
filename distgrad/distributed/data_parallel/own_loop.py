"""Training loops of the user's own, without `DataParallel.accumulate`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from distgrad.autograd import backward_into, is_grad_enabled
from distgrad.distributed.data_parallel.accumulation import StepResult, step_result
from distgrad.distributed.data_parallel.losses import Totals
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.distributed.record import LocalRecord, checked_count
from distgrad.tensor import Tensor

__all__ = ["Averaging", "OwnLoop"]


class OwnLoop:
    """``backward(loss_sum, count)`` for each micro-batch, then ``reduce()``."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._buffer: GradientBuffer | None = None
        self._local = LocalRecord("reduce")

    def backward(self, loss_sum: Tensor, count: float) -> None:
        """Add the gradients of one micro-batch to a running sum."""
        count = checked_count(count)
        backward_into(loss_sum, self._replica.writer(self._opened()))
        self._local.add(loss_sum.item(), count)

    def reduce(self) -> StepResult:
        """Return what all ranks know of the step."""
        replica, buffer = self._replica, self._opened()
        local, self._local = self._local, LocalRecord("reduce")
        try:
            replica.start_with_one_leaf_a_rank(
                [
                    view if written else None
                    for view, written in zip(buffer.views, buffer.written.tolist(), strict=True)
                ]
            )
            record = replica.gather_records(local, buffer.written)
            finite = replica.publish(record.count, record)
            return step_result(record, Totals(record.loss_sum, record.count), finite)
        finally:
            buffer.clear()

    def _opened(self) -> GradientBuffer:
        if self._buffer is None:  # many programs never come here: no memory for them
            self._buffer = GradientBuffer(self._replica.layout, self._replica.xp)
        return self._buffer


class Averaging:
    """PyTorch's contract: ``loss.backward()`` averages ``.grad`` over the ranks, by their number.

    It happens once at the end of each backward pass through an output of the model, also for
    parameters that this rank did not use.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._enabled = True

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Let ``loss.backward()`` add to the local gradients only."""
        enabled, self._enabled = self._enabled, False
        try:
            yield
        finally:
            self._enabled = enabled

    def watch(self, output: Any) -> None:
        """Average after a backward pass through the tensors in ``output``."""
        if self._enabled and is_grad_enabled():
            for tensor in _tensors_in(output):
                if tensor.grad_fn is not None:
                    tensor.grad_fn.ask().after_backward = self._average

    def _average(self) -> None:
        replica = self._replica
        gradients = [p.grad.data if p.grad is not None else None for p in replica.parameters]
        used = np.array([gradient is not None for gradient in gradients])
        replica.start_with_one_leaf_a_rank(gradients)
        record = replica.gather_records(LocalRecord("loss.backward()"), used)
        replica.publish(replica.comm.size, record)


def _tensors_in(value: Any) -> Iterator[Tensor]:
    """Find the Tensors in nested tuples, lists and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors_in(item)
    elif isinstance(value, dict):
        yield from _tensors_in(list(value.values()))
