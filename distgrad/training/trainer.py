"""The training loop."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from math import inf
from time import perf_counter
from typing import Any

from distgrad.autograd import manual_seed
from distgrad.backend.threads import pin_blas_threads
from distgrad.data import GlobalBatches, Split, StreamingBatches, Vocabulary, Window
from distgrad.data.streaming import is_stream
from distgrad.distributed import Communicator, DataParallel
from distgrad.errors import TrainingError, UsageError
from distgrad.nn import Module
from distgrad.optim import Optimizer
from distgrad.optim.lr_scheduler import LRScheduler
from distgrad.tensor import Tensor
from distgrad.training.building import (
    Augment,
    build_augment,
    build_model,
    build_objective,
    build_split,
    check_fit,
    parameter_groups,
)
from distgrad.training.config import Config, DataConfig
from distgrad.training.facts import fact_of_data
from distgrad.training.samples import first_batch, inputs_and_targets, vocabulary_of
from distgrad.training.sampling import check_sample, sample_text
from distgrad.training.step_report import StepReport
from distgrad.training.stopping import Stopping
from distgrad.training.together import together

__all__ = ["Trainer"]


class Trainer:
    """A model, its data and its optimizer, built from a configuration on every rank.

    Args:
        config: The run.
        comm: The ranks that share each global batch.

    Attributes:
        config: The run, with what the configuration left to the data.
        objective: What is minimised and measured.
        model: The model as the ranks share it.
        split: The samples to train and to test on.
        windows: The global batches.
        optimizer: Updates the parameters once a step.
        scheduler: Changes the learning rate once a step; None keeps it.
        epochs: How many epochs were completed.

    Raises:
        UsageError: On every rank, if something does not fit on one of them.

    Example:
        >>> from distgrad.distributed import SingleProcess
        >>> from distgrad.training import parse_config
        >>> config = parse_config({
        ...     "run": {"name": "example"},
        ...     "model": {"name": "mlp", "sizes": [1, 8, 1], "activation": "tanh"},
        ...     "data": {"global_batch_size": 64, "micro_batch_size": 16,
        ...              "source": {"name": "sine", "samples": 100}},
        ...     "optimizer": {"name": "adam"},
        ...     "training": {"loss": "mse", "max_epochs": 2},
        ... })
        >>> trainer = Trainer(config, SingleProcess())
        >>> [(report.step, report.epoch, report.samples) for report in trainer.steps()]
        [(1, 1, 64), (2, 1, 36), (3, 2, 64), (4, 2, 36)]
        >>> list(trainer.evaluate())
        ['loss']
    """

    def __init__(self, config: Config, comm: Communicator) -> None:
        self.config = config
        self.objective = build_objective(config.training.loss)
        self.augment: Augment | None = None
        self.epochs = 0
        self.split, module = together(comm, self._build)
        pin_blas_threads()  # again: a component may have loaded a BLAS library of its own
        self.model = _shared(module, comm, config)
        self.windows = _windows(self.split.train, config.data, config.training.seed)
        self.optimizer, self.scheduler = together(comm, self._build_optimizer)

    def steps(self) -> Iterator[StepReport]:
        """Train until a stop condition holds, and yield what each step did.

        Raises:
            TrainingError: On every rank, if a loss or a gradient is not finite.
        """
        limits = self.config.training
        stopping = Stopping(limits)
        for epoch in count(self.windows.epoch + 1):
            loss_sum = counted = 0.0
            report = None
            windows = iter(self.windows)
            for window in windows:
                if report:
                    yield report
                report = self._step(window, epoch)
                loss_sum += report.loss * report.count
                counted += report.count
                if report.step == limits.max_steps:
                    break
            assert report is not None  # an epoch has a window
            is_whole = next(windows, None) is None
            self.epochs += is_whole
            if is_whole and not report.test and epoch % (limits.evaluate_every_epochs or inf) == 0:
                report = replace(report, test=self.evaluate())
            yield report
            if report.step == limits.max_steps or stopping.holds_after(epoch, loss_sum / counted):
                return

    def evaluate(self) -> dict[str, float]:
        """Return the mean loss and metrics of the test samples, each of which counts once.

        Raises:
            TrainingError: On every rank, if one of them is not finite.
        """
        means = self.model.evaluate(
            lambda batch: self._measured(*inputs_and_targets(batch)),
            self.split.test,
            self.config.data.micro_batch_size,
        )
        measured = self.objective.completed(means)
        for name, value in measured.items():
            if not math.isfinite(value):
                raise TrainingError(f"the {name} of the test samples is not finite ({value:g})")
        return measured

    def sample(self) -> str | None:
        """Return the text that the model writes, if the configuration asks for one.

        It is the same on every rank, and takes no part in their communication.
        """
        sample, vocabulary = self.config.sample, self.vocabulary
        if sample is None or vocabulary is None:
            return None
        x, _ = inputs_and_targets(first_batch(self.split.train))
        seed = self.config.training.seed
        return sample_text(self.model.module, vocabulary, x.shape[1], sample, seed)

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The characters of the data, if it is a text."""
        return vocabulary_of(self.split)

    @property
    def last_step(self) -> int | None:
        """The step at which the run ends at the latest, if the configuration says it."""
        limits, windows = self.config.training, self.windows
        ends = [limits.max_steps] if limits.max_steps else []
        if limits.max_epochs and isinstance(windows, GlobalBatches):
            ends.append(limits.max_epochs * len(windows))
        return min(ends, default=None)

    def _step(self, window: Window, epoch: int) -> StepReport:
        start = perf_counter()
        limits = self.config.training
        step = window.step + 1
        lr = self.optimizer.param_groups[0]["lr"]

        result = self.model.accumulate(self._loss, window)
        if not result.finite:
            raise TrainingError(
                f"step {step}: the loss ({result.loss:g}) or a gradient is not finite; the "
                f"learning rate was {lr:g}: try a smaller one, or look for such values in the data"
            )
        norm = limits.clip_grad_norm and self.model.clip_grad_norm_(limits.clip_grad_norm)
        self.optimizer.step()
        if self.scheduler:
            self.scheduler.step()

        seconds = perf_counter() - start
        test = self.evaluate() if step % (limits.evaluate_every_steps or inf) == 0 else None
        return StepReport(
            step, epoch, result.loss, lr, window.samples, result.count, seconds, norm, test
        )

    def _loss(self, batch: Any) -> tuple[Tensor, float]:
        x, y = inputs_and_targets(batch)
        return self.objective(self.model(self.augment(x) if self.augment else x), y)

    def _measured(self, x: Any, y: Any) -> dict[str, tuple[Tensor, float]]:
        return self.objective.measure(self.model(x), y)

    def _build(self) -> tuple[Split, Module]:
        config = self.config
        manual_seed(config.training.seed)
        split = build_split(config.data.source)
        model = config.model.filled(lambda name: fact_of_data(split, name))
        self.config = config.model_copy(update={"model": model})
        module = build_model(model)
        self.augment = build_augment(config.data.augment)
        check_fit(module, split, self.objective, self.augment)
        if config.sample:
            check_sample(config.sample, split)
        return split, module

    def _build_optimizer(self) -> tuple[Optimizer, LRScheduler | None]:
        config = self.config
        groups = parameter_groups(self.model.parameters(), config.training.weight_decay_on)
        optimizer = config.optimizer.build(groups)
        if config.scheduler is None:
            return optimizer, None
        scheduler = config.scheduler.filled({"steps": self.last_step}.get)
        self.config = config.model_copy(update={"scheduler": scheduler})
        return optimizer, scheduler.build(optimizer)


def _windows(train: Any, config: DataConfig, seed: int) -> GlobalBatches | StreamingBatches:
    sizes = config.global_batch_size, config.micro_batch_size
    if is_stream(train):
        return StreamingBatches(train, *sizes, seed=seed, read_ahead=config.num_workers > 0)
    return GlobalBatches(train, *sizes, seed=seed, num_workers=config.num_workers)


def _shared(module: Module, comm: Communicator, config: Config) -> DataParallel:
    try:
        return DataParallel(module, comm, config.distributed.reduction)
    except ValueError as error:  # the model has no parameters, or several data types
        raise UsageError(f"model {config.model.name}: {error}") from error
