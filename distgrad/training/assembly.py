"""The parts of a training, built from a configuration and fitted to each other."""

from dataclasses import dataclass

from distgrad.autograd import manual_seed
from distgrad.backend.threads import pin_blas_threads
from distgrad.data import GlobalBatches, Split, StreamingBatches
from distgrad.distributed import Communicator, DataParallel, choose_device
from distgrad.distributed.kernels import choose_kernels
from distgrad.errors import UsageError
from distgrad.nn import Module
from distgrad.optim import Optimizer
from distgrad.optim.lr_scheduler import LRScheduler
from distgrad.optim.swa_utils import AveragedModel
from distgrad.training.building import (
    Augment,
    build_augment,
    build_average,
    build_metrics,
    build_model,
    build_optimizer,
    build_split,
    build_windows,
)
from distgrad.training.config import Config, TrainingConfig
from distgrad.training.facts import fact_of_data
from distgrad.training.fitting import check_fit
from distgrad.training.measuring import Measurements
from distgrad.training.monitoring import check_plateau, with_monitor_mode
from distgrad.training.objective import Objective
from distgrad.training.sampling import check_sample
from distgrad.training.together import together

__all__ = ["Parts", "assemble", "last_step"]

Windows = GlobalBatches | StreamingBatches


@dataclass
class Parts:
    """What a `Trainer` is made of; see there."""

    config: Config
    device: str
    objective: Objective
    measurements: Measurements
    split: Split
    augment: Augment | None
    model: DataParallel
    average: AveragedModel | None
    windows: Windows
    optimizer: Optimizer
    scheduler: LRScheduler | None


def assemble(config: Config, comm: Communicator) -> Parts:
    """Build all parts, alike on every rank.

    Raises:
        UsageError: On every rank, if something does not fit on one of them.
    """
    choose_kernels(comm, config.run.kernels)
    device = choose_device(comm, config.run.device)
    config, objective, measurements, split, augment, module = together(comm, lambda: _build(config))
    pin_blas_threads()  # again: a component may have loaded a BLAS library of its own
    model = _shared(module.to(device), comm, config)
    average = build_average(module, config.training.ema)
    windows = build_windows(split.train, config.data, config.training.seed)
    config, optimizer, scheduler = together(
        comm, lambda: _build_optimizer(config, model, windows, measurements)
    )
    return Parts(
        config,
        device,
        objective,
        measurements,
        split,
        augment,
        model,
        average,
        windows,
        optimizer,
        scheduler,
    )


def last_step(limits: TrainingConfig, windows: Windows) -> int | None:
    """Return the step at which a run ends at the latest, if the configuration says it."""
    ends = [limits.max_steps] if limits.max_steps else []
    if limits.max_epochs and isinstance(windows, GlobalBatches):
        ends.append(limits.max_epochs * len(windows))
    return min(ends, default=None)


def _build(
    config: Config,
) -> tuple[Config, Objective, Measurements, Split, Augment | None, Module]:
    """Build what needs no other rank; the configuration comes back with what the data tells."""
    manual_seed(config.training.seed)
    objective = config.training.loss.build()
    split = build_split(config.data.source)
    filled, metrics = build_metrics(config.training.metrics, objective, split)
    measurements = Measurements(objective, metrics)
    training = config.training.model_copy(update={"metrics": filled})
    training = with_monitor_mode(training, measurements.modes)
    model = config.model.filled(lambda name: fact_of_data(split, name))
    config = config.model_copy(update={"model": model, "training": training})
    module = build_model(model)
    augment = build_augment(config.data.augment)
    check_fit(module, split, objective, metrics, augment)
    if config.sample:
        check_sample(config.sample, split)
    return config, objective, measurements, split, augment, module


def _shared(module: Module, comm: Communicator, config: Config) -> DataParallel:
    try:
        distributed = config.distributed
        return DataParallel(
            module,
            comm,
            distributed.reduction,
            transport=distributed.transport,
            precision=config.training.precision,
            capture=config.training.capture,
        )
    except ValueError as error:  # the model has no parameters, or several data types
        raise UsageError(f"model {config.model.name}: {error}") from error


def _build_optimizer(
    config: Config, model: DataParallel, windows: Windows, measurements: Measurements
) -> tuple[Config, Optimizer, LRScheduler | None]:
    optimizer = build_optimizer(config, model)
    if config.scheduler is None:
        return config, optimizer, None
    filled = config.scheduler.filled({"steps": last_step(config.training, windows)}.get)
    scheduler = filled.build(optimizer)
    check_plateau(scheduler, config.training, measurements.modes)
    return config.model_copy(update={"scheduler": filled}), optimizer, scheduler
