"""Runs that are broken off at a step and go on from a checkpoint."""

import tempfile
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from helpers.configs import tiny_document

import distgrad as dg
from distgrad.data import Split, TensorDataset
from distgrad.distributed import Communicator
from distgrad.training import Callback, Config, StepReport, Trainer, parse_config
from distgrad.training.checkpoint import Checkpoint, CheckpointStore
from distgrad.training.overrides import apply_overrides
from distgrad.training.sharing import share
from distgrad.training.weights import weights_sha256


def images() -> Split:
    """Small pictures of 3 classes, drawn at random."""
    generator = np.random.default_rng(0)

    def part(n: int) -> TensorDataset:
        x = generator.random((n, 1, 4, 4), dtype=np.float32)
        return TensorDataset(x=x, y=generator.integers(3, size=n))

    return Split(part(36), part(10))


class Stream:
    """Points of a curve, without a length."""

    def __iter__(self):
        for x in np.linspace(-1, 1, 70, dtype=np.float32):
            yield x[None], x[None] ** 2


def stream() -> Split:
    """The points to train on as a stream."""
    return Split(Stream(), TensorDataset(x=dg.ones(9, 1).data, y=dg.ones(9, 1).data))


class Decay(Callback):
    """Scales all parameters behind each step, by a factor that it makes smaller."""

    def __init__(self, factor: float) -> None:
        self.state = {"factor": factor}

    def on_step_end(self, trainer: Trainer, _report: StepReport) -> None:
        for parameter in trainer.model.parameters():
            parameter.data *= self.state["factor"]
            parameter.bump_version()
        self.state["factor"] *= 0.99

    def state_dict(self) -> dict[str, float]:
        return self.state

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.state = state


class Enough(Callback):
    """Ends a run after so many samples, as one rank alone counts them."""

    def __init__(self, samples: int) -> None:
        self.left = samples

    def on_step_end(self, trainer: Trainer, report: StepReport) -> None:
        self.left -= report.samples
        if self.left <= 0 and trainer.model.comm.rank == trainer.model.comm.size - 1:
            trainer.request_end()

    def state_dict(self) -> dict[str, int]:
        return {"left": self.left}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.left = state["left"]


CNN = [
    "model={name = 'cnn', channels = [2], hidden = 4, batch_norm = true, dropout = 0.2}",
    "data.global_batch_size=14",
    "data.micro_batch_size=4",
    "data.source={name = 'helpers.resuming:images'}",
    "training.loss={name = 'cross_entropy', label_smoothing = 0.1}",
    "training.metrics=['confusion_matrix', {name = 'top_k', k = 2}]",
    "training.weight_decay_on=matrices",
    "optimizer.groups=[{parameters = '*weight', lr = 0.02}]",
    "training.clip_grad_value=0.1",
    "training.clip_grad_norm=0.5",
    "training.ema={decay = 0.6}",
    "training.callbacks=[{name = 'helpers.resuming:Decay', factor = 0.99}]",
    "scheduler={name = 'warmup_cosine', warmup_steps = 2}",
    "training.evaluate_every_steps=2",
]
"""What the comparison of runs has to withstand, in one: dropout, running statistics, clipping,
groups of parameters, a schedule of two, a partial window, short micro-batches, evaluations,
smoothed labels, averaged weights, a callback with a state that changes what is trained."""

VARIANTS = {
    "adamw": [],
    "cnn": CNN,
    "amsgrad": ["optimizer.name=adam", "optimizer.amsgrad=true"],
    "adagrad": ["optimizer.name=adagrad"],
    "momentum": [
        "optimizer={name = 'sgd', lr = 0.05, momentum = 0.9, nesterov = true}",
        "scheduler={name = 'step', step_size = 2, gamma = 0.7}",
    ],
    "plain sgd": ["optimizer={name = 'sgd', lr = 0.05}", "scheduler={name = 'cosine', T_max = 4}"],
    "patience": [
        "optimizer={name = 'sgd', lr = 0.9}",
        "training.max_epochs=6",
        "training.patience=1",
        "training.evaluate_every_epochs=1",
    ],
    "plateau of evaluations": [
        "optimizer={name = 'sgd', lr = 0.3}",
        "training.evaluate_every_steps=1",
        "scheduler={name = 'reduce_on_plateau', metric = 'mae', patience = 0, threshold = 0.05}",
        "training.metrics=['mae']",
    ],
    "patience of evaluations": [
        "training.max_epochs=9",
        "training.metrics=['r2']",
        "training.monitor=r2",
        "training.patience=2",
        "training.min_delta=0.3",
        "training.evaluate_every_steps=2",
    ],
    "ended by a callback": [
        "training.max_epochs=9",
        "training.callbacks=[{name = 'helpers.resuming:Enough', samples = 130}]",
    ],
    "target": ["training.max_epochs=20", "training.target_loss=0.5"],
    "max steps": ["training.max_epochs=4", "training.max_steps=5"],
    "stream": ["data.source={name = 'helpers.resuming:stream'}"],
    "stream read ahead": [
        "data.source={name = 'helpers.resuming:stream'}",
        "data.num_workers=1",
    ],
    "read ahead": ["data.num_workers=2"],
}


def variant(name: str, *assignments: str) -> Config:
    """A small run by its name, changed by assignments."""
    document = tiny_document()
    for assignment in (*VARIANTS[name], *assignments):
        section = assignment.partition("=")[0]
        if "." not in section:  # apply_overrides changes keys of sections only
            wrapped: dict[str, Any] = {"all": {}}
            apply_overrides(wrapped, [f"all.{assignment}"])
            document[section] = wrapped["all"][section]
        else:
            apply_overrides(document, [assignment])
    return parse_config(document)


def trained(trainer: Trainer, last: int | None = None) -> list[dict[str, Any]]:
    """Make steps up to ``last``, or to the end; what was reported, but for the times."""
    rows = []
    for report in trainer.steps():
        rows.append({k: v for k, v in report.as_row().items() if k != "seconds"})
        if report.step == last:
            break
    return rows


def through_the_disk(checkpoint: Checkpoint, comm: Communicator) -> Checkpoint:
    """The checkpoint as rank 0 has read it from where it had written it, on every rank."""
    found = None
    if comm.rank == 0:
        with tempfile.TemporaryDirectory() as folder:
            store = CheckpointStore(Path(folder, "checkpoints"))
            store.save(checkpoint)
            found = store.newest().checkpoint
    found = share(comm, found)
    assert found is not None
    return found


def ended(trainer: Trainer) -> tuple[Any, ...]:
    """What must be the same in the end."""
    progress = trainer.progress
    return (
        weights_sha256(trainer.model.module),
        trainer.evaluate(),
        progress.epochs,
        progress.monitored,
        progress.tested,
        [group["lr"] for group in trainer.optimizer.param_groups],
    )


def broken_off(
    config: Config, step: int, before: Communicator, after: Communicator
) -> tuple[list[dict[str, Any]], tuple[Any, ...]]:
    """Train to a step with some ranks, go on with others; the rows and the end."""
    first = Trainer(config, before)
    rows = trained(first, step)
    second = Trainer(config, after)
    second.restore(through_the_disk(first.checkpoint(), after))
    rows = list(takewhile(lambda row: row["step"] < step, rows)) + trained(second)
    return rows, ended(second)
