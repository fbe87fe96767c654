"""`Program`: the steps of a recording as one function of Python."""

from collections.abc import Callable, Sequence
from typing import Any

from distgrad.backend import Array
from distgrad.backend.dtypes import DType
from distgrad.tensor import Tensor
from distgrad.tracing.code import written
from distgrad.tracing.memory import planned
from distgrad.tracing.simplify import simplified
from distgrad.tracing.steps import Slot
from distgrad.tracing.trace import Trace

__all__ = ["Program"]

_Run = Callable[..., tuple[float, float]]


class Program:
    """Does what was recorded, with other values in the same places.

    Args:
        trace: The recording.
        leaves: The leaves that gradients may come to.
        dtype: The data type in which they are wanted.
        loss: The array of the loss.
        count: What the loss counts: a number, or an array of one.

    Attributes:
        written: For each leaf, whether it gets a gradient.
    """

    def __init__(
        self,
        trace: Trace,
        leaves: Sequence[Tensor],
        dtype: DType,
        loss: Array,
        count: float | Array,
    ) -> None:
        self._trace = trace
        self._dtype = dtype
        self._leaves: dict[Any, int] = {leaf: number for number, leaf in enumerate(leaves)}
        self._loss = trace.slot_of(loss)
        self._count = trace.slot_of(count) if hasattr(count, "dtype") else count
        met = {step.what for step in trace.steps if step.kind == "deliver"}
        self.written = bytes(leaf in met for leaf in leaves)
        self._into_views: _Run | None = None
        self._to_writer: _Run | None = None

    def into_views(
        self, views: Sequence[Array], inputs: Sequence[Array], words: tuple[int, int, int]
    ) -> tuple[float, float]:
        """Run, overwriting arrays with the gradients; return the loss and its count.

        Args:
            views: For each leaf an array of its shape.
            inputs: The arrays of the batch.
            words: The seed, the step and the micro-batch that random draws are keyed by.
        """
        if self._into_views is None:
            self._into_views = self._made(by_views=True)
        return self._into_views(views, *inputs, *words)

    def to_writer(
        self,
        write: Callable[[int, Any], None],
        inputs: Sequence[Array],
        words: tuple[int, int, int],
    ) -> tuple[float, float]:
        """Run, handing each contribution to the gradient of a leaf to ``write(number, array)``."""
        if self._to_writer is None:
            self._to_writer = self._made(by_views=False)
        return self._to_writer(write, *inputs, *words)

    def _made(self, by_views: bool) -> _Run:
        results = [part for part in (self._loss, self._count) if isinstance(part, Slot)]
        steps, results = simplified(self._trace.steps, results)
        loss: Any
        count: Any
        loss, count = [*results, self._count][:2]
        plan = planned(steps, results, self._leaves if by_views else None, self._dtype)
        return written(plan, self._trace.inputs, loss, count, self._leaves, by_views)
