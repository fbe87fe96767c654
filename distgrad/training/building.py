"""What a configuration names, built: samples, model, optimizer, metrics, callbacks."""

from collections.abc import Callable, Iterable, Sized
from functools import reduce
from typing import Any

from distgrad.data import GlobalBatches, Split, StreamingBatches
from distgrad.data.streaming import is_stream, require_beginnings
from distgrad.distributed import DataParallel, ShardedOptimizer
from distgrad.errors import UsageError
from distgrad.nn import Module
from distgrad.optim import Optimizer
from distgrad.optim.flat_optimizer import FlatOptimizer
from distgrad.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from distgrad.tensor import Tensor
from distgrad.training.callbacks import Callback
from distgrad.training.component import (
    CallbackConfig,
    MetricConfig,
    ModelConfig,
    SourceConfig,
    TransformConfig,
)
from distgrad.training.config import Config, DataConfig
from distgrad.training.facts import fact_of_data
from distgrad.training.metrics import Metric
from distgrad.training.objective import Objective
from distgrad.training.parameter_groups import parameter_groups
from distgrad.training.samples import first_batch, inputs_and_targets
from distgrad.training.training_section import AverageConfig

__all__ = [
    "Augment",
    "build_augment",
    "build_average",
    "build_callbacks",
    "build_metrics",
    "build_model",
    "build_optimizer",
    "build_split",
    "build_windows",
]

Augment = Callable[[Tensor], Tensor]


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
        return StreamingBatches(train, *sizes, seed=seed, read_ahead=bool(config.num_workers))
    return GlobalBatches(train, *sizes, seed=seed, num_workers=config.num_workers)


def build_metrics(
    configs: Iterable[MetricConfig], objective: Objective, split: Split
) -> tuple[tuple[MetricConfig, ...], list[Metric]]:
    """Return the metrics of a configuration, with the arguments that the run fills in.

    Raises:
        UsageError: If one does not take its arguments, or is none.
    """

    def known(name: str) -> Any:
        if name == "axis":
            return 1 if objective.class_axis is None else objective.class_axis
        return fact_of_data(split, name)

    filled = tuple(config.filled(known) for config in configs)
    built = [config.build() for config in filled]
    for config, metric in zip(filled, built, strict=True):
        if not isinstance(metric, Metric) or not isinstance(getattr(metric, "name", None), str):
            raise UsageError(
                f"metric {config.name}: must be a distgrad.training.Metric with a name, got "
                f"{metric!r}; derive its class from that"
            )
    return filled, built


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
        UsageError: If the optimizer does not take its arguments, cannot be divided, or has a group
            without parameters.
    """
    optimizer = config.optimizer
    groups = parameter_groups(
        model.named_parameters(), config.training.weight_decay_on, optimizer.groups
    )
    if config.distributed.reduction != "sharded":
        built: Optimizer = optimizer.build(groups)
    else:
        try:
            built = ShardedOptimizer(model, optimizer.build, groups)
        except TypeError as error:
            raise UsageError(f"optimizer {optimizer.name}: {error}") from error
    if isinstance(built, FlatOptimizer | ShardedOptimizer):
        built.capture = config.training.capture
    return built


def build_average(module: Module, config: AverageConfig | None) -> AveragedModel | None:
    """Return what follows the weights of a model, in evaluation mode; None for nothing."""
    if config is None:
        return None
    average = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(config.decay))
    average.eval()
    return average


def build_callbacks(
    configs: Iterable[CallbackConfig], objects: Iterable[Any]
) -> list[tuple[str, Callback]]:
    """Return the callbacks of a configuration, and those that are given, with their names.

    Raises:
        UsageError: If one does not take its arguments, or is none.
    """
    named = [(config.name, config.build()) for config in configs]
    named += [(type(callback).__name__, callback) for callback in objects]
    for name, callback in named:
        if not isinstance(callback, Callback):
            raise UsageError(
                f"callback {name}: must be a distgrad.training.Callback, got {callback!r}; derive "
                "its class from that"
            )
    return named


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
