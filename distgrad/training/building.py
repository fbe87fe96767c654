"""The samples and the model that a configuration names, built and tried on each other."""

from collections.abc import Callable, Iterable, Sized
from functools import reduce
from typing import Any, Literal

from distgrad.autograd import no_grad
from distgrad.backend import Array
from distgrad.data import GlobalBatches, Split, StreamingBatches
from distgrad.data.streaming import is_stream, require_beginnings
from distgrad.distributed import DataParallel, ShardedOptimizer
from distgrad.errors import UsageError
from distgrad.nn import Module, Parameter
from distgrad.optim import Optimizer
from distgrad.tensor import Tensor
from distgrad.training.component import ModelConfig, SourceConfig, TransformConfig
from distgrad.training.config import Config, DataConfig
from distgrad.training.objective import IGNORED, Objective
from distgrad.training.registry import find
from distgrad.training.samples import first_batch, inputs_and_targets, kept_arrays

__all__ = [
    "Augment",
    "build_augment",
    "build_model",
    "build_objective",
    "build_optimizer",
    "build_split",
    "build_windows",
    "check_fit",
    "parameter_groups",
]

Augment = Callable[[Tensor], Tensor]

_REFUSALS = (ValueError, TypeError, IndexError, RuntimeError)


def build_split(source: SourceConfig) -> Split:
    """Return the samples of a source.

    Raises:
        UsageError: If the source fails, or if what it returns cannot be trained on.
    """
    split = source.build()
    if not isinstance(split, Split):
        raise UsageError(f"source {source.name}: must return a distgrad.data.Split, got {split!r}")
    for part, dataset in split._asdict().items():
        try:
            _check_dataset(part, dataset)
        except (TypeError, ValueError) as error:
            raise UsageError(f"source {source.name}: the {part} part {error}") from error
    return split


def build_windows(train: Any, config: DataConfig, seed: int) -> GlobalBatches | StreamingBatches:
    """Return the global batches of the samples to train on."""
    sizes = config.global_batch_size, config.micro_batch_size
    if is_stream(train):
        return StreamingBatches(train, *sizes, seed=seed, read_ahead=config.num_workers > 0)
    return GlobalBatches(train, *sizes, seed=seed, num_workers=config.num_workers)


def build_objective(name: str) -> Objective:
    """Return what a run minimises and measures."""
    loss = find("loss", name)
    return loss if isinstance(loss, Objective) else Objective(loss)


def build_augment(transforms: tuple[TransformConfig, ...]) -> Augment | None:
    """Return the function that changes the inputs of a micro-batch, or None for no change.

    Raises:
        UsageError: If a transform does not take its arguments.
    """
    built = [transform.build() for transform in transforms]
    return (lambda x: reduce(lambda x, f: f(x), built, x)) if built else None


def build_model(model: ModelConfig) -> Module:
    """Return a model, its initial parameters drawn from the current random scope.

    Raises:
        UsageError: If the component fails, or if what it returns is no model.
    """
    module = model.build()
    if not isinstance(module, Module):
        raise UsageError(f"model {model.name}: must return a distgrad.nn.Module, got {module!r}")
    return module


def build_optimizer(config: Config, model: DataParallel) -> Optimizer:
    """Return what updates the parameters of a model, divided among the ranks where they shard it.

    Raises:
        UsageError: If the optimizer does not take its arguments, or cannot be divided.
    """
    groups = parameter_groups(model.parameters(), config.training.weight_decay_on)
    optimizer = config.optimizer
    if config.distributed.reduction != "sharded":
        built: Optimizer = optimizer.build(groups)
        return built
    try:
        return ShardedOptimizer(model, optimizer.build, groups)
    except TypeError as error:
        raise UsageError(f"optimizer {optimizer.name}: {error}") from error


def parameter_groups(
    parameters: Iterable[Parameter], weight_decay_on: Literal["all", "matrices"]
) -> list[dict[str, Any]]:
    """Return the groups for an optimizer; with "matrices" the others do without weight decay.

    Example:
        >>> import distgrad as dg
        >>> groups = parameter_groups(dg.nn.Linear(2, 1).parameters(), "matrices")
        >>> [group.get("weight_decay") for group in groups]
        [None, 0.0]
    """
    decayed: list[Parameter] = []
    spared: list[Parameter] = []
    for parameter in parameters:
        is_spared = weight_decay_on == "matrices" and parameter.ndim < 2
        (spared if is_spared else decayed).append(parameter)
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": spared, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def check_fit(
    module: Module, split: Split, objective: Objective, augment: Augment | None = None
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


def _check_dataset(part: str, dataset: Any) -> None:
    if is_stream(dataset):
        if part == "test":
            raise TypeError(
                f"must have a length and samples by index, got {type(dataset).__name__}: each test "
                "sample counts once"
            )
        try:
            require_beginnings(dataset)
        except TypeError as error:
            raise TypeError(f"cannot be used: {error}") from error
    elif not isinstance(dataset, Sized):
        raise TypeError(f"must have a length, got {type(dataset).__name__}; give it a __len__")
    elif not len(dataset):
        raise ValueError("is empty; a run needs at least 1 sample to train on and 1 to test on")
    inputs_and_targets(first_batch(dataset))


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


def _batched(array: Array | Tensor) -> str:
    """Return the shape with N for the number of samples."""
    return f"(N,{','.join(f' {length}' for length in array.shape[1:])})"
