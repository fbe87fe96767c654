"""Does the model take the samples, and do loss and metrics take both? One sample is tried."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from distgrad.autograd import no_grad
from distgrad.backend import Array
from distgrad.data import Split
from distgrad.errors import UsageError
from distgrad.nn import Module
from distgrad.tensor import Tensor
from distgrad.training.building import Augment
from distgrad.training.metrics import Metric
from distgrad.training.objective import IGNORED, Objective
from distgrad.training.samples import first_batch, inputs_and_targets, kept_arrays

__all__ = ["check_fit"]

_REFUSALS = (ValueError, TypeError, IndexError, RuntimeError)


def check_fit(
    module: Module,
    split: Split,
    objective: Objective,
    metrics: Iterable[Metric] = (),
    augment: Augment | None = None,
) -> None:
    """Run one sample through all that training does with it, and look at all labels.

    Raises:
        UsageError: If the model does not take the samples, or if its output and a target do not
            belong together.
    """
    x, y = inputs_and_targets(first_batch(split.train))
    if augment:
        x = _tried(lambda: augment(x), f"data.augment does not take x of shape {x.shape}")
    output = _output_of_one(module, x)
    for part, dataset in split._asdict().items():
        arrays = kept_arrays(dataset)
        if arrays and objective.class_axis is not None:
            _check_labels(part, output, arrays[1], objective.class_axis)
    _check_loss(objective, output, y)
    for metric in metrics:
        _check_metric(metric, output, y)


def _output_of_one(module: Module, x: Any) -> Tensor:
    training = module.training
    module.eval()
    try:
        with no_grad():
            output = _tried(
                lambda: module(x), f"the model does not take x of shape {x.shape} (one sample)"
            )
    finally:
        module.train(training)
    if not isinstance(output, Tensor) or output.shape[:1] != (1,):
        shape = getattr(output, "shape", type(output).__name__)
        raise UsageError(f"the model's output for one sample must have shape (1, ...), got {shape}")
    return output


def _tried(work: Callable[[], Any], problem: str) -> Any:
    try:
        return work()
    except _REFUSALS as error:
        raise UsageError(f"{problem}: {error}") from error


def _check_labels(part: str, output: Tensor, labels: Array, axis: int) -> None:
    """Compare the labels of all samples with the output's axis of classes."""
    shape = list(output.shape[1:])
    where = axis - 1 if axis > 0 else axis
    classes = shape.pop(where) if shape else 0
    if not classes or list(labels.shape[1:]) != shape or labels.dtype.kind not in "iub":
        order = "N, classes, ..." if axis > 0 else "N, ..., classes"
        raise UsageError(
            f"the loss takes an output of shape ({order}) and integer labels of shape (N, ...); "
            f"the model's output has shape {_batched(output)} and y of the {part} part is "
            f"{labels.dtype} of shape {_batched(labels)}"
        )
    counted = labels[labels != IGNORED]
    if not counted.size:
        raise UsageError(f"y of the {part} part has no label but {IGNORED}, which does not count")
    least, most = int(counted.min()), int(counted.max())
    if least < 0 or most >= classes:
        wider = "" if least < 0 else f"give the model {most + 1} outputs, or "
        raise UsageError(
            f"the model's {classes} outputs take labels from 0 to {classes - 1}, and {IGNORED} for "
            f"what does not count, but y of the {part} part has labels from {least} to {most}; "
            f"{wider}number the labels from 0"
        )


def _check_loss(objective: Objective, output: Tensor, y: Any) -> None:
    problem = (
        f"the loss does not take the model's output of shape {_batched(output)} and y of shape "
        f"{_batched(y)}"
    )
    returned = _tried(lambda: objective(output, y), problem)
    is_pair = isinstance(returned, tuple) and len(returned) == 2
    if not is_pair or getattr(returned[0], "shape", None) != ():
        raise UsageError(
            "the loss must return (sum, count): a Tensor of shape () and what it counts, such as "
            f"y.numel(); got {returned!r}"
        )


def _check_metric(metric: Metric, output: Tensor, y: Any) -> None:
    problem = (
        f"the metric {metric.name} does not take the model's output of shape {_batched(output)} "
        f"and y of shape {_batched(y)}"
    )
    added = _tried(lambda: metric.addends(output, y), problem)
    if not isinstance(added, Mapping):
        raise UsageError(
            f"the metric {metric.name}: addends() must return numbers or arrays by name, got "
            f"{added!r}"
        )


def _batched(array: Array | Tensor) -> str:
    """Return the shape with N for the number of samples."""
    return f"(N,{','.join(f' {length}' for length in array.shape[1:])})"
