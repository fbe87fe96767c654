"""The training loop."""

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from time import perf_counter
from typing import Any

from distgrad.autograd import manual_seed
from distgrad.backend.threads import pin_blas_threads
from distgrad.data import GlobalBatches, Split, StreamingBatches, Vocabulary, Window
from distgrad.distributed import Communicator, DataParallel, StepResult
from distgrad.errors import Interrupted, TrainingError, UsageError
from distgrad.nn import Module
from distgrad.optim import Optimizer
from distgrad.optim.lr_scheduler import LRScheduler
from distgrad.tensor import Tensor
from distgrad.training.building import (
    Augment,
    build_augment,
    build_model,
    build_objective,
    build_optimizer,
    build_split,
    build_windows,
    check_fit,
)
from distgrad.training.checkpoint import Checkpoint
from distgrad.training.config import Config
from distgrad.training.facts import fact_of_data
from distgrad.training.observer import Observer
from distgrad.training.progress import Progress
from distgrad.training.samples import first_batch, identity, inputs_and_targets, vocabulary_of
from distgrad.training.sampling import check_sample, sample_text
from distgrad.training.state import capture, restore
from distgrad.training.step_report import StepReport
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
        progress: Where the run stands.
        observer: Looks into each step; None for nobody.

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
        self.progress = Progress()
        self.observer: Observer | None = None
        self.split, module = together(comm, self._build)
        pin_blas_threads()  # again: a component may have loaded a BLAS library of its own
        self.model = _shared(module, comm, config)
        self.windows = build_windows(self.split.train, config.data, config.training.seed)
        self.optimizer, self.scheduler = together(comm, self._build_optimizer)

    def steps(self) -> Iterator[StepReport]:
        """Train until a stop condition holds, and yield what each step did.

        One that has made steps, or was restored, first yields its last step again, with the
        evaluation that was left out if it was interrupted there.

        Raises:
            TrainingError: On every rank, if a loss or a gradient is not finite.
            Interrupted: On every rank, if one of them was asked to stop by
                `DataParallel.request_stop`: after the report of the step, which is whole. What is
                left out is the evaluation that may be due behind it.
        """
        if self.progress.last is not None:
            yield from self._reported()
        while not self.progress.is_over(self.config.training):
            yield from self._rest_of_epoch()

    def _rest_of_epoch(self) -> Iterator[StepReport]:
        progress, limits = self.progress, self.config.training
        windows = self._windows_ahead()
        window = next(windows, None)
        if window is None:  # a stream, or a dataset of one's own, that has become shorter
            raise TrainingError(
                f"epoch {progress.epochs + 1} had more than {progress.position} global batches "
                "when the run was interrupted in it, and has no more now: the data has changed"
            )
        while window is not None and not progress.is_over(limits):
            report, stop = self._step(window, progress.epochs + 1)
            window = next(windows, None)
            progress.add(report, ends_epoch=window is None)
            yield from self._reported()
            if stop and not progress.is_over(limits):
                raise Interrupted(f"asked to stop after step {progress.steps}")

    def _windows_ahead(self) -> Iterator[Window]:
        """Return the windows of the epoch under way that were not trained on yet."""
        windows, progress = self.windows, self.progress
        if isinstance(windows, StreamingBatches):
            windows.set_epoch(progress.epochs, progress.steps - progress.position)
        else:
            windows.set_epoch(progress.epochs)
        return islice(windows, progress.position, None)

    def _reported(self) -> Iterator[StepReport]:
        """Yield the report of the last step, evaluated first where that is due."""
        interrupted = None
        if self.progress.evaluation_is_due(self.config.training):
            try:
                self.progress.add_evaluation(self.evaluate())
            except Interrupted as error:
                interrupted = error
        assert self.progress.last is not None  # it is called after a step
        yield self.progress.last
        if interrupted:
            raise interrupted

    def checkpoint(self) -> Checkpoint:
        """Return all that training goes on from, the same on every rank; every rank calls it.

        The arrays are those of the training itself, which changes them in its next step.

        Raises:
            TypeError: If the optimizer or the scheduler has something in its state that cannot be
                saved.
        """
        return capture(self.model.module, self.stateful, self.progress, self.data)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint: the next steps have the bits that they had where it was made.

        Args:
            checkpoint: Made with the same configuration, but for what ends a run; on any number of
                ranks. All ranks are given the same.

        Raises:
            UsageError: If it does not fit.

        Example:
            >>> from distgrad.distributed import SingleProcess
            >>> from distgrad.training import parse_config
            >>> config = parse_config({
            ...     "run": {"name": "example"}, "model": {"name": "mlp", "sizes": [1, 1]},
            ...     "data": {"global_batch_size": 64, "micro_batch_size": 16,
            ...              "source": {"name": "sine", "samples": 100}},
            ...     "optimizer": {"name": "adam"}, "training": {"loss": "mse", "max_steps": 3},
            ... })
            >>> trainer = Trainer(config, SingleProcess())
            >>> losses = [report.loss for report in trainer.steps()]
            >>> first = Trainer(config, SingleProcess())
            >>> assert next(first.steps()).step == 1
            >>> second = Trainer(config, SingleProcess())
            >>> second.restore(first.checkpoint())
            >>> [report.loss for report in second.steps()] == losses
            True
        """
        self.progress = restore(checkpoint, self.model.module, self.stateful)

    @property
    def stateful(self) -> Mapping[str, Any]:
        """What has a state of its own beside the model, by name."""
        things = {"optimizer": self.optimizer, "scheduler": self.scheduler}
        return {name: thing for name, thing in things.items() if thing is not None}

    @cached_property
    def data(self) -> dict[str, Any]:
        """What tells the samples that are trained on from others."""
        return identity(self.split.train)

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

    def _step(self, window: Window, epoch: int) -> tuple[StepReport, bool]:
        """Make a step; return what it did, and whether a rank was asked to stop."""
        start = perf_counter()
        limits = self.config.training
        step = window.step + 1
        lr = self.optimizer.param_groups[0]["lr"]

        observer = self.observer
        look = observer.micro_batch if observer else None
        result = self.model.accumulate(self._loss, window, observer=look)
        if observer:
            observer.step(window, result)
        norm, skipped = None, None
        if result.finite:
            norm = limits.clip_grad_norm and self.model.clip_grad_norm_(limits.clip_grad_norm)
            self.optimizer.step()
        else:
            skipped = self._reason_to_skip(step, lr, result)
        if self.scheduler:  # also after a step that was skipped: a step has one learning rate
            self.scheduler.step()

        loss = result.loss if result.finite else None
        seconds = perf_counter() - start
        report = StepReport(
            step, epoch, loss, lr, window.samples, result.count, seconds, norm, skipped=skipped
        )
        return report, result.stop

    def _reason_to_skip(self, step: int, lr: float, result: StepResult) -> str:
        """Say why a step has no update, or raise if the run shall not go on after it."""
        if not result.count:
            return "nothing in the global batch counts"
        problem = f"the loss ({result.loss:g}) or a gradient is not finite"
        if self.config.training.on_nonfinite == "skip":
            return problem
        raise TrainingError(
            f"step {step}: {problem}; the learning rate was {lr:g}: try a smaller one, look for "
            'such values in the data, or leave such steps out with training.on_nonfinite = "skip"'
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
        optimizer = build_optimizer(config, self.model)
        if config.scheduler is None:
            return optimizer, None
        scheduler = config.scheduler.filled({"steps": self.last_step}.get)
        self.config = config.model_copy(update={"scheduler": scheduler})
        return optimizer, scheduler.build(optimizer)


def _shared(module: Module, comm: Communicator, config: Config) -> DataParallel:
    try:
        return DataParallel(module, comm, config.distributed.reduction)
    except ValueError as error:  # the model has no parameters, or several data types
        raise UsageError(f"model {config.model.name}: {error}") from error
