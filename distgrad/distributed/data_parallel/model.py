"""`DataParallel`: one model on every rank, trained on global batches that the ranks share."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from typing import Any, NoReturn, Self, SupportsIndex

from distgrad.backend import device_name
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.data_parallel.accumulation import (
    Accumulation,
    Observer,
    StepResult,
    Window,
)
from distgrad.distributed.data_parallel.captured_passes import CapturedPasses
from distgrad.distributed.data_parallel.clipping import clip_grad_norm_, clip_grad_value_
from distgrad.distributed.data_parallel.evaluation import Addends, Measure, evaluate, exact_sums
from distgrad.distributed.data_parallel.losses import CountFunction, LossFunction, PenaltyFunction
from distgrad.distributed.data_parallel.own_loop import Averaging, OwnLoop
from distgrad.distributed.data_parallel.passes import EagerPasses, Passes
from distgrad.distributed.data_parallel.precision import LossScale
from distgrad.distributed.data_parallel.recorded_passes import RecordedPasses
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.data_parallel.statistics import StatisticsLog
from distgrad.distributed.device import DeviceCommunicator
from distgrad.nn import Module, Parameter
from distgrad.tensor import Tensor

__all__ = ["DataParallel", "StepResult", "Window"]


class DataParallel:
    """A model whose replicas on all ranks stay the same, bit for bit.

    On construction the ranks compare names, shapes and data types of the parameters and take the
    values of rank 0. Parameters then lie in one flat array, and so do the gradients.

    With ``reduction="sharded"`` each rank keeps a slice of the mean gradient and no more:
    `ShardedOptimizer` steps it, ``.grad`` of a parameter cannot be read, and the bits are those of
    "tree".

    Args:
        module: The model, built alike on every rank.
        comm: The ranks, from `distgrad.distributed.connect`.
        reduction: "tree", the same bits for every number of ranks; "sharded", the same bits, with
            the gradient and the optimizer's state divided among the ranks; or "allreduce", MPI's
            own sum.
        transport: What carries gradients between ranks. On the CPU "shared" memory, which the
            ranks of a machine read, or "mpi". On GPUs, for all arrays of the model, "nccl",
            "cuda-aware" (MPI), "ipc" or "staged". "auto" is the first of them that all ranks can
            use; so is, on the CPU, what is for GPUs.
        precision: "fp32", or "fp16" or "bf16": in `accumulate` the model computes on a copy of the
            parameters in float16, with the loss scaled against underflow, or in bfloat16, which
            needs no scale, and ``ml_dtypes``. What it is given is converted, what it returns is in
            float32 again, and so are its normalisations and softmaxes inside. The parameters,
            gradients and the optimizer's state stay in float32; `evaluate` and loops of one's own
            compute with them.
        capture: Let `accumulate` record the work of a micro-batch when it meets a shape again, and
            replay it from then on, with the same bits: on the CPU as one function of NumPy's
            calls, on a GPU as a graph. The loss is called again for another shape only, so what it
            does in Python besides is not repeated, and numbers of Python are those of the
            recording. On the CPU two steps compare the bits with those of the loss, which cannot
            see what changes later, such as once per epoch, in an attribute of a global, in
            ``len(dataset)`` or with the time. Where it reads a value, as `Tensor.item` does, or a
            model of the same ranks has running statistics, micro-batches run as without, and a
            warning says why. While a graph of a GPU is recorded, indices and targets are not looked
            at: a target that is no class makes the loss nan. Default: False.

    Raises:
        UsageError: If the model differs between ranks, not all ranks can use the transport, or
            there is no bfloat16.
        ValueError: If the reduction or the transport is unknown, the model has no parameters, or
            several data types, or one is bfloat16.

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

    def __init__(
        self,
        module: Module,
        comm: Communicator,
        reduction: str = "tree",
        *,
        transport: str = "auto",
        precision: str = "fp32",
        capture: bool = False,
    ) -> None:
        self.module = module
        self.comm = comm
        self._replica = Replica(module, comm, reduction, transport, precision)
        self._averaging = Averaging(self._replica)
        self._own_loop = OwnLoop(self._replica)
        statistics = StatisticsLog(module, comm)
        passes = _passes(self._replica, module, statistics, capture)
        self._accumulation = Accumulation(self._replica, statistics, self.no_sync, passes)

    # The model

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the model on this rank."""
        half = self._replica.half
        if half and half.active:
            return half.widen(self.module(*half.narrow(args), **half.narrow(kwargs)))
        output = self.module(*args, **kwargs)
        self._averaging.watch(output)
        return output

    @property
    def transport(self) -> str | None:
        """What carries gradients between ranks, and why; None for one rank on the CPU."""
        comm = self._replica.comm
        if isinstance(comm, DeviceCommunicator):
            return comm.told
        return self._replica.reduction.transport if comm.size > 1 else None

    @property
    def loss_scale(self) -> LossScale | None:
        """What the loss is multiplied with in float16: a part of the training's state."""
        return self._replica.loss_scale

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse copies: their parameters would lie elsewhere than where they are stepped."""
        raise TypeError(
            "a DataParallel cannot be copied or pickled, because its parameters lie in memory that "
            "is its own; copy model.module"
        )

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

    def accumulate(
        self,
        loss: LossFunction,
        window: Window,
        *,
        counts: CountFunction | None = None,
        penalty: PenaltyFunction | None = None,
        observer: Observer | None = None,
    ) -> StepResult:
        """Make the gradient of the mean loss over the window; it replaces the gradients before.

        Each rank runs its share of the micro-batches; the gradients of all are summed and divided
        by the global count. With the tree reduction, and the sharded one, the result has the same
        bits for every number of ranks. Random draws inside ``loss`` are keyed by (seed, step,
        micro-batch, call).

        Running statistics, such as those of `BatchNorm2d`, follow all micro-batches of the window
        in their order, on every rank, once the step is known to be finite.

        Args:
            loss: Maps a micro-batch to (sum of the loss, count): a scalar Tensor and what it
                counts, such as samples, tokens or the sum of weights. It may be called again for
                the same micro-batch. With ``counts`` it returns {name: sum of the loss}.
            window: The global batch of the step.
            counts: For several losses, each the mean by a count of its own: maps a micro-batch to
                {name: count}. It is asked for all micro-batches before the first loss, because the
                gradients of the sums are divided by the global counts; what is minimised is the
                sum of the means. A loss that nothing counts takes no part.
            penalty: Returns a scalar of the parameters that is added to the mean once, such as a
                weight's squared norm. Every rank computes it, and it must be the same.
            observer: Looks at each micro-batch on the rank that runs it: called with its number,
                its loss, what that counts, and its gradients by the names of the parameters. The
                arrays are used for other things later: copy what is to be kept. With a loss scale
                the gradients are multiplied by it. (With "allreduce" they have the sum over the
                rank's micro-batches so far.)

        Raises:
            RankError: On every rank, if one of the functions raised an exception on some rank.
            TrainingError: On every rank, if the ranks were given windows of different steps, one of
                them does something else, or the parameters are no longer the same on all ranks.
                After these errors gradients and parameters are as they were before the step.

        Example:
            >>> import distgrad as dg
            >>> model = dg.distributed.DataParallel(
            ...     dg.nn.Linear(2, 2, bias=False), dg.distributed.SingleProcess())
            >>> data = dg.data.TensorDataset(x=dg.ones(6, 2), weight=dg.arange(6.0))
            >>> def loss(batch):
            ...     y = model(batch.x)
            ...     return {"left": y[:, 0].sum(), "right": (y[:, 1] * batch.weight).sum()}
            >>> def counts(batch):
            ...     return {"left": len(batch.x), "right": batch.weight.sum().item()}
            >>> for window in dg.data.GlobalBatches(data, 6, 4):
            ...     result = model.accumulate(
            ...         loss, window, counts=counts, penalty=lambda: model.module.weight.sum())
            >>> sorted(result.losses)
            ['left', 'right']
            >>> model.module.weight.grad
            tensor([[2., 2.],
                    [2., 2.]])
        """
        return self._accumulation.run(loss, window, counts, penalty, observer)

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

        The norm is that of the mean gradient of the global batch, the same on every rank. Every
        rank calls it.
        """
        return clip_grad_norm_(self._replica, max_norm, norm_type)

    def clip_grad_value_(self, clip_value: float) -> None:
        """Limit each element of the mean gradient of the global batch to +-``clip_value``.

        Raises:
            ValueError: If ``clip_value`` is not above 0.
        """
        clip_grad_value_(self._replica, clip_value)

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
        with self._evaluating():
            return evaluate(self._replica, measure, dataset, micro_batch_size)

    def exact_sums(
        self, addends: Addends, dataset: Any, micro_batch_size: int
    ) -> dict[str, Fraction | float]:
        """Add up numbers over a dataset that the ranks share, for what is no plain mean.

        Nothing is rounded on the way, so that neither the order of the samples nor their division
        among ranks and micro-batches leaves a trace.

        Args:
            addends: Maps a batch to {name: number}, or to NumPy arrays all of whose elements are
                added.
            dataset: What to go through, in order.
            micro_batch_size: Samples in a batch; the last one may be short.

        Returns:
            For each name the exact sum; a float where it is not finite.

        Raises:
            RankError: As `DataParallel.evaluate`, and so the others.

        Example:
            >>> import numpy as np
            >>> import distgrad as dg
            >>> model = dg.distributed.DataParallel(
            ...     dg.nn.Linear(1, 1), dg.distributed.SingleProcess())
            >>> data = dg.data.TensorDataset(x=np.array([3.0, 4.0, 7.0]))
            >>> def moments(batch):
            ...     return {"n": len(batch.x), "x": batch.x.data, "x2": batch.x.data**2}
            >>> sums = model.exact_sums(moments, data, micro_batch_size=2)
            >>> float(sums["x2"] / sums["n"] - (sums["x"] / sums["n"]) ** 2)  # the variance
            2.888888888888889
        """
        with self._evaluating():
            return exact_sums(self._replica, addends, dataset, micro_batch_size)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """Set evaluation mode, and afterwards what was before."""
        modes = [(module, module.training) for module in self.module.modules()]
        self.eval()
        try:
            yield
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
        return self._own_loop.reduce()

    def no_sync(self) -> AbstractContextManager[None]:
        """Accumulate local gradients only, as PyTorch's ``DistributedDataParallel.no_sync`` does.

        Outside it, ``loss.backward()`` averages ``.grad`` over the ranks, by their number. The
        forward pass decides: run it inside the block. With both, running statistics follow what
        this rank sees. Under ``reduction="sharded"`` nothing can be added to a mean: drop it with
        ``zero_grad()`` before the next backward pass.
        """
        return self._averaging.suspended()


def _passes(replica: Replica, module: Module, statistics: StatisticsLog, capture: bool) -> Passes:
    """Return what runs micro-batches."""
    if not capture:
        return EagerPasses(replica)
    on_host = device_name(replica.values) == "cpu"
    return (RecordedPasses if on_host else CapturedPasses)(replica, module, statistics)
