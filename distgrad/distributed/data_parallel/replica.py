"""`Replica`: the parameters of a model and their gradients in flat arrays, alike on every rank."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distgrad.autograd import accumulated, backward_into
from distgrad.backend import Array, array_namespace, device_name, to_host
from distgrad.backend.dtypes import DType
from distgrad.backend.kernels import kernels_in_use
from distgrad.distributed.agreement import check_same, check_same_parameters
from distgrad.distributed.choice import TRANSPORTS
from distgrad.distributed.communicator import Communicator
from distgrad.distributed.data_parallel.precision import HalfPrecision, LossScale, half_type
from distgrad.distributed.data_parallel.shard import Shard, ShardedGradient
from distgrad.distributed.device import with_arrays_of
from distgrad.distributed.drift import DriftWatch
from distgrad.distributed.gradient_buffer import GradientBuffer, Gradients
from distgrad.distributed.record import LocalRecord, StepRecord, gather_records
from distgrad.distributed.reduction import REDUCTIONS, Reduction
from distgrad.flat import FlatLayout
from distgrad.nn import Module
from distgrad.tensor import Tensor

__all__ = ["Replica"]


class Replica:
    """Moves the parameters of a module into one flat array, with the values of rank 0.

    Args:
        module: The model, built alike on every rank.
        comm: The ranks.
        reduction: A key of `REDUCTIONS`.
        transport: What carries gradients between ranks; see `choose_parts`, and for arrays of GPUs
            `distgrad.distributed.device`.
        precision: "fp32", or "fp16" or "bf16" for forward and backward passes in half precision.

    Attributes:
        comm: The ranks; it takes the arrays of the model.
        xp: The array module of the model.
        parameters: The parameters, in the order of the layout.
        layout: Where each lies.
        values: The flat array in which they lie.
        reduction: Sums gradients over the ranks.
        shard: What this rank keeps of values and gradients, where that is not all.
        half: What lets the model compute in half precision, if it shall.
        stop_asked: Whether this rank was asked to stop, which its next record tells the others.
    """

    def __init__(
        self,
        module: Module,
        comm: Communicator,
        reduction: str,
        transport: str = "auto",
        precision: str = "fp32",
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {sorted(REDUCTIONS)}, got {reduction!r}")
        if transport not in TRANSPORTS:
            raise ValueError(f"transport must be one of {TRANSPORTS}, got {transport!r}")
        self.comm = comm
        self.parameters = list(module.parameters())
        self._index: dict[Any, int] = {p: i for i, p in enumerate(self.parameters)}
        entries = [*module.named_parameters(), *module.named_buffers()]
        check_same_parameters(comm, [(name, t.shape, t.dtype) for name, t in entries])
        check_same(comm, "reduction", reduction)
        check_same(comm, "transport", transport)
        check_same(comm, "precision", precision)
        check_same(comm, "the choice of kernels", kernels_in_use())
        self.layout = _layout_of(module)
        kind = device_name(self.parameters[0].data).partition(":")[0]
        check_same(comm, "the kind of device", kind)
        self.xp = array_namespace(*(tensor.data for _, tensor in entries))
        dtype = half_type(precision, self.xp)
        self.comm = with_arrays_of(comm, self.parameters[0].data, transport)
        self._share_values(module)
        self.half = (
            HalfPrecision(self.layout, self.parameters, self.values, dtype) if dtype else None
        )
        self.reduction: Reduction = REDUCTIONS[reduction](
            self.layout, self.comm, self.xp, transport
        )
        self.shard = self._make_shard()
        self._flat_gradient, self._gradients = self._make_gradients()
        self.stop_asked = False
        self._drift = DriftWatch(self.layout, self.values)

    def _share_values(self, module: Module) -> None:
        self.values: Array = self.layout.zeros(self.xp)
        for parameter, view in zip(self.parameters, self.layout.views(self.values), strict=True):
            view[...] = parameter.data
            parameter.data = view
            parameter.bump_version()
        self.comm.broadcast(self.values)
        for buffer in module.buffers():
            # MPI needs it contiguous and writable.
            buffer.data = array_namespace(buffer.data).array(buffer.data, order="C")
            self.comm.broadcast(buffer.data)
            buffer.bump_version()

    def _make_shard(self) -> Shard | None:
        bounds = self.reduction.bounds
        if bounds is None:
            return None
        gather = self.reduction.gather
        return Shard(self.comm.rank, self.layout, self.parameters, self.values, bounds, gather)

    def _make_gradients(self) -> tuple[Array, Sequence[Tensor]]:
        """Return the flat array of gradients that the rank keeps, and what becomes ``.grad``."""
        if self.shard:
            return self.shard.gradient, [ShardedGradient()] * len(self.parameters)
        flat = self.layout.zeros(self.xp)
        return flat, [Tensor(view) for view in self.layout.views(flat)]

    def writer(self, buffer: Gradients) -> Callable[[Any, Any], None]:
        """Return a function (leaf, gradient) that contributes to a buffer."""
        index = self._index

        def write(leaf: Any, gradient: Any) -> None:
            number = index.get(leaf)
            if number is None:
                raise RuntimeError(
                    f"the loss depends on a tensor of shape {leaf.shape} that requires a gradient "
                    "but is not a parameter of the model; detach() it, make it a parameter before "
                    "DataParallel is built, or, if it is another model's, freeze that meanwhile "
                    "with requires_grad_(False)"
                )
            buffer.write(number, gradient)

        return write

    @property
    def loss_scale(self) -> LossScale | None:
        """What the loss is multiplied with, if it is."""
        return self.half.scale if self.half else None

    def scaled(self, share: Tensor) -> Tensor:
        """Return what is differentiated in place of a share of the loss."""
        scale = self.loss_scale
        return share * scale.value if scale else share

    def differentiate(self, share: Tensor | None, buffer: Gradients) -> None:
        """Write the gradients of a micro-batch's share of the loss to a buffer."""
        if share is not None:
            backward_into(self.scaled(share), self.writer(buffer))

    def named(self, buffer: Gradients) -> dict[str, Array]:
        """Return what has been written to a buffer, by the names of the parameters."""
        written = zip(self.layout, buffer.views, buffer.written.tolist(), strict=True)
        return {segment.name: view for segment, view, is_written in written if is_written}

    def gather_records(self, local: LocalRecord, used: Array) -> StepRecord:
        """Exchange this rank's record for what all ranks know; see `record.gather_records`.

        Raises:
            TrainingError: On every rank, also if the parameters differ between ranks.
        """
        local.stop = self.stop_asked
        local.checksum = self._drift.checksum()
        record = gather_records(self.comm, local, used, self.reduction.load())
        if not record.alike:
            raise self._drift.error(self.comm, local.call)
        return record

    def meet(self, call: str) -> None:
        """Make sure that all ranks are about to do the same: what follows needs all of them.

        Args:
            call: What they do.

        Raises:
            TrainingError: On every rank, if one of them does something else.
        """
        self.gather_records(LocalRecord(call), np.zeros(len(self.parameters), np.bool_))

    def start_with_one_leaf_a_rank(self, gradients: Sequence[Array | None]) -> None:
        """Give the reduction what this rank has summed up itself."""
        self.reduction.start(self.comm.size, one_leaf_a_rank(self.comm.size))
        buffer = self.reduction.open()
        for index, gradient in enumerate(gradients):
            if gradient is not None:
                buffer.write(index, gradient)
        self.reduction.close()

    def publish(
        self, divisor: float, record: StepRecord, added: GradientBuffer | None = None
    ) -> bool:
        """Reduce, set ``.grad`` of every parameter, and tell whether all gradients are finite.

        Args:
            divisor: What the sum over all leaves is divided by; 0 for no gradients at all.
            record: What the ranks sent when the reduction had all leaves. ``.grad`` becomes None
                where no rank has a gradient for a parameter.
            added: Gradients that every rank has alike, to be added to the quotient.
        """
        if not divisor:
            self._set_gradients([False] * len(self.parameters))
            return False
        used = record.used
        # A warning turned into an error would leave the other ranks waiting.
        with np.errstate(all="ignore"):
            self.reduction.finish(divisor, self._flat_gradient, record.loads)
            if added:
                self._flat_gradient += added.flat[self.shard.kept] if self.shard else added.flat
                used = used | added.written
            finite = _all_finite(self._flat_gradient)
        self._set_gradients(used.tolist())
        return finite if self.shard is None else bool(self.comm.all_gather(np.array(finite)).all())

    def _set_gradients(self, used: Sequence[bool]) -> None:
        for parameter, gradient, is_used in zip(
            self.parameters, self._gradients, used, strict=True
        ):
            parameter.grad = gradient if is_used else None
            gradient.bump_version()
            if is_used:
                accumulated(parameter)


def one_leaf_a_rank(size: int) -> list[range]:
    """Return the division of a tree in which every rank holds one leaf."""
    return [range(rank, rank + 1) for rank in range(size)]


def _all_finite(array: Array) -> bool:
    """Tell whether no element is infinite or nan, in one quick pass where that is so.

    The product with itself is finite only if every element is; where finite elements overflow it,
    they are looked at one by one. The caller sees to warnings.
    """
    xp = array_namespace(array)
    product = to_host(xp.dot(array, array))
    return math.isfinite(product) or bool(to_host(xp.isfinite(array).all()))


def _layout_of(module: Module) -> FlatLayout:
    named = list(module.named_parameters())
    if not named:
        raise ValueError("the model has no parameters: there is nothing to train")
    for name, tensor in (*named, *module.named_buffers()):
        if tensor.dtype.name == "bfloat16":
            raise ValueError(
                f"{name!r} is of bfloat16, in which small updates are lost, and which ranks do not "
                'exchange; keep the model in float32, and let precision="bf16" compute in bfloat16'
            )
    dtypes: dict[DType, str] = {}
    for name, parameter in named:
        dtypes.setdefault(parameter.dtype, name)
    if len(dtypes) > 1:
        raise ValueError(
            "all parameters of a model must have one data type, got "
            + ", ".join(f"{dtype} ({name!r})" for dtype, name in dtypes.items())
        )
    return FlatLayout.of([(name, parameter.shape) for name, parameter in named], named[0][1].dtype)
