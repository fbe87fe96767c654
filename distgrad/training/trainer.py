"""The training loop."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count
from time import perf_counter
from typing import Any

from distgrad.autograd import manual_seed
from distgrad.backend.threads import pin_blas_threads
from distgrad.data import GlobalBatches, Split
from distgrad.distributed import Communicator, DataParallel
from distgrad.errors import TrainingError, UsageError
from distgrad.nn import Module
from distgrad.optim import Optimizer
from distgrad.optim.lr_scheduler import LRScheduler
from distgrad.tensor import Tensor
from distgrad.training.building import build_model, build_split, check_fit
from distgrad.training.config import Config
from distgrad.training.objective import OBJECTIVES
from distgrad.training.stopping import Stopping
from distgrad.training.together import together

__all__ = ["StepReport", "Trainer"]


@dataclass(frozen=True)
class StepReport:
    """What one step did; the same on every rank but for the seconds.

    Attributes:
        step: Its number, from 1.
        epoch: The number of its epoch, from 1.
        loss: The mean loss over the global batch, before the update.
        lr: The learning rate of the update.
        samples: How many samples the global batch had.
        count: What the loss was divided by.
        seconds: How long the step took on this rank.
        test: What an evaluation after the step gave, or None.
    """

    step: int
    epoch: int
    loss: float
    lr: float
    samples: int
    count: float
    seconds: float
    test: dict[str, float] | None = None

    def as_row(self) -> dict[str, Any]:
        """Return it flat, the results of an evaluation as ``test_loss`` and so on."""
        row = asdict(self)
        test = row.pop("test") or {}
        return row | {f"test_{name}": value for name, value in test.items()}


class Trainer:
    """A model, its data and its optimizer, built from a configuration on every rank.

    Args:
        config: The run.
        comm: The ranks that share each global batch.

    Attributes:
        model: The model as the ranks share it.
        split: The samples to train and to test on.
        windows: The global batches.
        optimizer: Updates the parameters once a step.
        scheduler: Changes the learning rate once a step; None keeps it.

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
        self.objective = OBJECTIVES[config.training.loss]
        self.split, module = together(comm, self._build)
        pin_blas_threads()  # again: a component may have loaded a BLAS library of its own
        self.model = _shared(module, comm, config)
        self.optimizer, self.scheduler = together(comm, self._build_optimizer)
        self.windows = GlobalBatches(
            self.split.train,
            config.data.global_batch_size,
            config.data.micro_batch_size,
            seed=config.training.seed,
        )

    def steps(self) -> Iterator[StepReport]:
        """Train until a stop condition holds, and yield what each step did.

        Raises:
            TrainingError: On every rank, if a loss or a gradient is not finite.
        """
        stopping = Stopping(self.config.training)
        for epoch in count(self.windows.epoch + 1):
            loss_sum = counted = 0.0
            for window in self.windows:
                start = perf_counter()
                step = window.step + 1
                lr = self.optimizer.param_groups[0]["lr"]

                result = self.model.accumulate(self._loss, window)
                if not result.finite:
                    raise TrainingError(
                        f"step {step}: the loss ({result.loss:g}) or a gradient is not finite; the "
                        f"learning rate was {lr:g}: try a smaller one, or look for such values in "
                        "the data"
                    )
                self.optimizer.step()
                if self.scheduler:
                    self.scheduler.step()

                loss_sum += result.loss_sum
                counted += result.count
                seconds = perf_counter() - start
                test = self.evaluate() if self._is_evaluated(step) else None
                yield StepReport(
                    step, epoch, result.loss, lr, window.samples, result.count, seconds, test
                )
                if step == self.config.training.max_steps:
                    return
            if stopping.holds_after(epoch, loss_sum / counted):
                return

    def evaluate(self) -> dict[str, float]:
        """Return the mean loss and metrics of the test samples, each of which counts once.

        Raises:
            TrainingError: On every rank, if one of them is not finite.
        """
        measured = self.model.evaluate(
            lambda batch: self.objective.measure(self.model(batch.x), batch.y),
            self.split.test,
            self.config.data.micro_batch_size,
        )
        for name, value in measured.items():
            if not math.isfinite(value):
                raise TrainingError(f"the {name} of the test samples is not finite ({value:g})")
        return measured

    @property
    def last_step(self) -> int | None:
        """The step at which the run ends at the latest, if the configuration says it."""
        limits = self.config.training
        epochs = limits.max_epochs and limits.max_epochs * len(self.windows)
        return min((steps for steps in (limits.max_steps, epochs) if steps), default=None)

    def _build(self) -> tuple[Split, Module]:
        config = self.config
        manual_seed(config.training.seed)
        split = build_split(config.data.source)
        module = build_model(config.model)
        check_fit(module, split, classes=self.objective.classes)
        return split, module

    def _build_optimizer(self) -> tuple[Optimizer, LRScheduler | None]:
        config = self.config
        optimizer = config.optimizer.build(self.model.parameters())
        return optimizer, config.scheduler.build(optimizer) if config.scheduler else None

    def _loss(self, batch: Any) -> tuple[Tensor, int]:
        return self.objective.loss(self.model(batch.x), batch.y)

    def _is_evaluated(self, step: int) -> bool:
        every = self.config.training.evaluate_every_epochs
        return every is not None and step % (every * len(self.windows)) == 0


def _shared(module: Module, comm: Communicator, config: Config) -> DataParallel:
    try:
        return DataParallel(module, comm, config.distributed.reduction)
    except ValueError as error:  # the model has no parameters, or several data types
        raise UsageError(f"model {config.model.name}: {error}") from error
