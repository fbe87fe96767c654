"""Micro-batches as graphs: recorded once for each shape, and replayed."""

import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from distgrad.autograd.random_scope import random_state
from distgrad.backend import Array, device_name
from distgrad.backend.graphs import Graphs, Replay
from distgrad.distributed.data_parallel.forms import form_of
from distgrad.tensor import Tensor

__all__ = ["Captures"]

T = TypeVar("T")

_EAGER_FIRST = 2
"""Micro-batches of a shape that run before it is recorded: kernels are compiled, plans made."""

_log = logging.getLogger(__name__)


@dataclass
class _Recorded(Generic[T]):
    inputs: list[Array]
    result: T
    replay: Replay


class Captures(Generic[T]):
    """Does work with micro-batches, from the third of a shape on by replaying a graph.

    What the work returns or writes lies in memory that is the same at each replay. What cannot be
    recorded runs eagerly for good; the reason is logged once.

    Args:
        graphs: Records.
    """

    def __init__(self, graphs: Graphs) -> None:
        self._graphs = graphs
        self._function: Any = None
        self._eager: dict[Hashable, int] = {}
        self._recorded: dict[Hashable, _Recorded[T] | None] = {}

    def run(
        self,
        work: Callable[[Any], T],
        batch: Any,
        *,
        function: Any,
        state: Hashable,
        step: int,
        micro_batch: int,
    ) -> T:
        """Do the work, and return what it returns.

        Args:
            work: What is done with a batch.
            batch: Tensors, and tuples and mappings of them.
            function: The user's function that the work calls, and what else seldom changes: when it
                does, all graphs are dropped, because each keeps memory of its own.
            state: What the work depends on besides; there are graphs for each.
            step: The number of the step, from 1.
            micro_batch: The number of the micro-batch.
        """
        if function != self._function:
            self._function, self._eager, self._recorded = function, {}, {}
        arrays: list[Array] = []
        form = _form_of(batch, arrays)
        key = (form, state)
        if form is None or not arrays or self._recorded.get(key, ...) is None:
            return work(batch)
        if key not in self._recorded:
            met = self._eager[key] = self._eager.get(key, 0) + 1
            if met <= _EAGER_FIRST:
                return work(batch)
            self._recorded[key] = self._record(work, batch)
        found = self._recorded[key]
        if found is None:
            return work(batch)
        for kept, array in zip(found.inputs, arrays, strict=True):
            kept[...] = array
        found.replay(step, micro_batch)
        return found.result

    def _record(self, work: Callable[[Any], T], batch: Any) -> _Recorded[T] | None:
        inputs: list[Array] = []
        kept = _with_copies(batch, inputs)
        try:
            with random_state().restored():  # if it fails, the eager run draws the same
                result, replay = self._graphs.record(lambda: work(kept))
        except Exception as error:
            _log.warning(
                "capture: these micro-batches cannot be recorded and run as without capture (%s: "
                "%s); the loss may not wait for a value, as item() does",
                type(error).__name__,
                error,
            )
            return None
        return _Recorded(inputs, result, replay)


def _form_of(batch: Any, arrays: list[Array]) -> Hashable | None:
    """Return the form of a batch of arrays on a GPU, and collect those."""

    def form_of_tensor(tensor: Tensor) -> Hashable | None:
        array = tensor.data
        arrays.append(array)
        device = device_name(array)
        return None if device == "cpu" else (tensor.shape, str(tensor.dtype), device)

    return form_of(batch, form_of_tensor)


def _with_copies(batch: Any, copies: list[Array]) -> Any:
    """Return the batch with copies of its arrays, and collect those in the order of `form_of`."""
    if isinstance(batch, Tensor):
        copies.append(batch.data.copy())
        return Tensor(copies[-1])
    if isinstance(batch, Mapping):
        return {key: _with_copies(value, copies) for key, value in batch.items()}
    if isinstance(batch, tuple | list):
        parts = [_with_copies(value, copies) for value in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch
