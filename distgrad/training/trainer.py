"""The training loop."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from distgrad.data import StreamingBatches, Vocabulary, Window
from distgrad.data.carrying import Carrier
from distgrad.distributed import Communicator
from distgrad.errors import Interrupted, TrainingError
from distgrad.nn import Module
from distgrad.tensor import Tensor
from distgrad.training.assembly import assemble, last_step
from distgrad.training.building import build_callbacks
from distgrad.training.callbacks import Callback, Callbacks
from distgrad.training.checkpoint import Checkpoint
from distgrad.training.config import Config
from distgrad.training.metrics import Value
from distgrad.training.observer import Observer
from distgrad.training.progress import Progress
from distgrad.training.samples import first_batch, identity, inputs_and_targets, vocabulary_of
from distgrad.training.sampling import sample_text
from distgrad.training.schedules import advance_by_evaluation
from distgrad.training.state import capture, restore
from distgrad.training.step_report import StepReport
from distgrad.training.stepping import Stepping
from distgrad.training.together import together

__all__ = ["Trainer"]


class Trainer:
    """A model, its data and its optimizer, built from a configuration on every rank.

    Args:
        config: The run.
        comm: The ranks that share each global batch.
        callbacks: What looks into the run, after the callbacks of the configuration.

    Attributes:
        config: The run, with what the configuration left to the data.
        device: Where this rank computes: ``"cpu"``, or ``"cuda:N"``.
        objective: What is minimised.
        measurements: What is measured on the test samples.
        model: The model as the ranks share it.
        average: The average of its weights; None without one.
        split: The samples to train and to test on.
        augment: Changes the inputs in training; None for nothing.
        windows: The global batches.
        optimizer: Updates the parameters once a step.
        scheduler: Changes the learning rate once a step; None keeps it.
        progress: Where the run stands.
        callbacks: What looks into the run.
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

    def __init__(
        self, config: Config, comm: Communicator, callbacks: Iterable[Callback] = ()
    ) -> None:
        parts = assemble(config, comm)
        self.config = parts.config
        self.device = parts.device
        self._carrier = Carrier(parts.device)
        self.objective = parts.objective
        self.measurements = parts.measurements
        self.split = parts.split
        self.augment = parts.augment
        self.model = parts.model
        self.average = parts.average
        self.windows = parts.windows
        self.optimizer = parts.optimizer
        self.scheduler = parts.scheduler
        self.progress = Progress()
        self.observer: Observer | None = None
        named = together(comm, lambda: build_callbacks(config.training.callbacks, callbacks))
        self.callbacks = Callbacks(comm, named)
        self._stepping = Stepping(parts, self._loss)

    @property
    def evaluated(self) -> Module:
        """The model that is evaluated and left behind: the average, if there is one."""
        return self.model.module if self.average is None else self.average.module

    @property
    def is_over(self) -> bool:
        """Whether one of the conditions that end the run holds."""
        return self.progress.is_over(self.config.training)

    def request_end(self) -> None:
        """End the run behind the step made last; a callback of any one rank may ask for it.

        Unlike a run that is interrupted, it is done then. What was asked stays asked.
        """
        self.callbacks.end_asked = True

    def steps(self) -> Iterator[StepReport]:
        """Train until a stop condition holds, and yield what each step did.

        One that has made steps, or was restored, first yields its last step again, with the
        evaluation that was left out if it was interrupted there.

        Raises:
            TrainingError: On every rank, if a loss or a gradient is not finite, or if a callback
                has raised an exception on one of them.
            Interrupted: On every rank, if one of them was asked to stop by
                `DataParallel.request_stop`: after the report of the step, which is whole. What is
                left out is the evaluation that may be due behind it.
        """
        self._tell("on_start")
        if self.progress.last is not None:
            yield from self._reported()
        while not self.is_over:
            yield from self._rest_of_epoch()

    def _rest_of_epoch(self) -> Iterator[StepReport]:
        progress = self.progress
        windows = self._windows_ahead()
        window = next(windows, None)
        if window is None:  # a stream, or a dataset of one's own, that has become shorter
            raise TrainingError(
                f"epoch {progress.epochs + 1} had more than {progress.position} global batches "
                "when the run was interrupted in it, and has no more now: the data has changed"
            )
        while window is not None and not self.is_over:
            carried = self._carrier.window(window)
            report, stop = self._stepping.step(carried, progress.epochs + 1, self.observer)
            window = next(windows, None)
            progress.add(report, self.config.training, ends_epoch=window is None)
            self._tell("on_step_end", report)
            yield from self._reported()
            if stop and not self.is_over:
                raise Interrupted(f"asked to stop after step {progress.steps}")

    def _tell(self, event: str, *what: Any) -> None:
        if self.callbacks.tell(event, self, *what):
            self.progress.ended = True

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
                self._note(self.evaluate())
            except Interrupted as error:
                interrupted = error
        assert self.progress.last is not None  # it is called after a step
        yield self.progress.last
        if interrupted:
            raise interrupted

    def _note(self, test: dict[str, Value]) -> None:
        """Draw the conclusions from an evaluation that was due."""
        self.progress.add_evaluation(test, self.config.training)
        if self.scheduler:
            advance_by_evaluation(self.scheduler, test)
        self._tell("on_evaluate", test)

    def checkpoint(self) -> Checkpoint:
        """Return all that training goes on from, the same on every rank; every rank calls it.

        The arrays are those of the training itself, which changes them in its next step.

        Raises:
            TypeError: If the optimizer or the scheduler has something in its state that cannot be
                saved.
        """
        return capture(self._modules, self.stateful, self.progress, self.data)

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
        self.progress = restore(checkpoint, self._modules, self.stateful)

    @property
    def _modules(self) -> dict[str, Module]:
        averages = {} if self.average is None else {"average": self.average}
        return {"model": self.model.module, **averages}

    @property
    def stateful(self) -> Mapping[str, Any]:
        """What has a state of its own beside the model, by name."""
        things = {
            "optimizer": self.optimizer,
            "scheduler": self.scheduler,
            "loss scale": self.model.loss_scale,
        }
        of_run = {name: thing for name, thing in things.items() if thing is not None}
        return of_run | self.callbacks.stateful

    @cached_property
    def data(self) -> dict[str, Any]:
        """What tells the samples that are trained on from others."""
        return identity(self.split.train)

    def evaluate(self) -> dict[str, Value]:
        """Return the loss and the metrics of the test samples, each of which counts once.

        With an average of the weights they are those of it.

        Raises:
            TrainingError: On every rank, if one of them is not finite.
        """
        sums = self.model.exact_sums(
            self._addends, self.split.test, self.config.data.micro_batch_size
        )
        return self.measurements.values(sums)

    def sample(self) -> str | None:
        """Return the text that the model writes, if the configuration asks for one.

        It is the same on every rank, and takes no part in their communication.
        """
        sample, vocabulary = self.config.sample, self.vocabulary
        if sample is None or vocabulary is None:
            return None
        x, _ = inputs_and_targets(first_batch(self.split.train))
        seed = self.config.training.seed
        return sample_text(self.evaluated, vocabulary, x.shape[1], sample, seed, self.device)

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The characters of the data, if it is a text."""
        return vocabulary_of(self.split)

    @property
    def last_step(self) -> int | None:
        """The step at which the run ends at the latest, if the configuration says it."""
        return last_step(self.config.training, self.windows)

    def _loss(self, batch: Any) -> tuple[Tensor, float]:
        x, y = inputs_and_targets(batch)
        return self.objective(self.model(self.augment(x) if self.augment else x), y)

    def _addends(self, batch: Any) -> dict[str, Any]:
        x, y = inputs_and_targets(self._carrier.batch(batch))
        return self.measurements.addends(self.evaluated(x), y)
