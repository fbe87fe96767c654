"""What is seen of one step: its micro-batches one by one, and its mean gradient."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from distgrad.backend import Array, array_namespace, arrays_sha256, to_host
from distgrad.backend.bfloat16 import NAME as BFLOAT16
from distgrad.distributed import Communicator
from distgrad.distributed.data_parallel import StepResult, Window
from distgrad.nn import Parameter
from distgrad.nn.utils import get_total_norm
from distgrad.tensor import Tensor

__all__ = ["Gradient", "MicroBatch", "Observation", "Sight"]


@dataclass(frozen=True)
class MicroBatch:
    """One micro-batch.

    Attributes:
        index: Its number in the step, from 0.
        loss_sum: The sum of its loss.
        count: What that counts.
        gradients: The SHA-256 of the gradient of each parameter that has one, by name.
        not_finite: The parameters whose gradient is not finite.
        batch: The SHA-256 of each part of the samples, by name; empty if the step was broken off.
        batch_not_finite: The parts of the samples that are not finite.
    """

    index: int
    loss_sum: float
    count: float
    gradients: Mapping[str, str]
    not_finite: tuple[str, ...]
    batch: Mapping[str, str]
    batch_not_finite: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gradient:
    """The mean gradient of one parameter over the global batch, before it is clipped.

    Attributes:
        name: Of the parameter.
        norm: Its Euclidean norm; None where the parameter has no gradient.
        largest: Its largest absolute value; None where there is none.
        not_finite: How many of its elements are infinite or nan.
        size: How many it has.
        sha256: Of its bits.
    """

    name: str
    norm: float | None
    largest: float | None
    not_finite: int
    size: int
    sha256: str | None


@dataclass(frozen=True)
class Sight:
    """What all ranks have seen of a step.

    Attributes:
        loss: The mean loss over the global batch; None if the step was not completed.
        samples: How many the global batch has; None if the step was not completed.
        micro_batches: In order; where an exception was raised, without those behind it on its rank.
        gradients: In the order of the parameters; empty if the step was not completed.
    """

    loss: float | None
    samples: int | None
    micro_batches: tuple[MicroBatch, ...]
    gradients: tuple[Gradient, ...]


class Observation:
    """Looks into one step; an `Observer`.

    Args:
        parameters: Those of the model, by name.
    """

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self._parameters = parameters
        self._micro_batches: list[MicroBatch] = []
        self._gradients: tuple[Gradient, ...] = ()
        self._loss: float | None = None
        self._samples: int | None = None

    def micro_batch(
        self, index: int, loss_sum: float, count: float, gradients: Mapping[str, Array]
    ) -> None:
        """See `Observer.micro_batch`."""
        seen = {name: to_host(array) for name, array in gradients.items()}
        self._micro_batches.append(
            MicroBatch(
                index,
                loss_sum,
                count,
                {name: arrays_sha256([(name, array)]) for name, array in seen.items()},
                tuple(name for name, array in seen.items() if not _is_finite(array)),
                {},
            )
        )

    def step(self, window: Window, result: StepResult) -> None:
        """See `Observer.step`."""
        self._loss = result.loss
        self._samples = getattr(window, "samples", None)
        self._gradients = tuple(_described(*named) for named in self._parameters.items())
        self._micro_batches = [_with_batch(seen, window) for seen in self._micro_batches]

    def gathered(self, comm: Communicator) -> Sight:
        """Return what all ranks have seen; all of them call it."""
        told = comm.all_gather_object(self._micro_batches)
        ordered = sorted((seen for rank in told for seen in rank), key=lambda seen: seen.index)
        return Sight(self._loss, self._samples, tuple(ordered), self._gradients)


def _described(name: str, parameter: Parameter) -> Gradient:
    if parameter.grad is None:
        return Gradient(name, None, None, 0, parameter.numel(), None)
    array = to_host(parameter.grad.data)
    with np.errstate(all="ignore"):
        norm = get_total_norm(parameter.grad).item()
        largest = float(np.abs(array).max(initial=0.0))
    not_finite = array.size - int(np.isfinite(array).sum())
    return Gradient(name, norm, largest, not_finite, array.size, arrays_sha256([(name, array)]))


def _with_batch(seen: MicroBatch, window: Window) -> MicroBatch:
    parts = dict(_parts(window.micro_batch(seen.index), ""))
    return replace(
        seen,
        batch={name: arrays_sha256([(name, array)]) for name, array in parts.items()},
        batch_not_finite=tuple(name for name, array in parts.items() if not _is_finite(array)),
    )


def _parts(batch: Any, name: str) -> Iterator[tuple[str, Array]]:
    """Yield the arrays in a batch, named by where they are in it."""
    if isinstance(batch, Tensor):
        yield name, to_host(batch.data)
    elif isinstance(batch, array_namespace(batch).ndarray):
        yield name, to_host(batch)
    elif isinstance(batch, Mapping | tuple | list):
        if hasattr(batch, "_asdict"):
            batch = batch._asdict()
        items = batch.items() if isinstance(batch, Mapping) else enumerate(batch)
        for key, part in items:
            yield from _parts(part, f"{name}.{key}".removeprefix("."))
    else:  # of a collation of one's own: what can be told of it is what it shows
        yield name, np.frombuffer(repr(batch).encode(), np.uint8)


def _is_finite(array: Array) -> bool:
    floats = array.dtype.kind in "fc" or array.dtype.name == BFLOAT16
    return not floats or bool(np.isfinite(array).all())
