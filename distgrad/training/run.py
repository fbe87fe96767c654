"""A run: training from a configuration, with its folder and its report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from distgrad.data import TensorDataset, data_sha256
from distgrad.distributed import Communicator, launched_rank
from distgrad.errors import TrainingError
from distgrad.training.config import Config
from distgrad.training.environment import describe_environment
from distgrad.training.loading import load_config
from distgrad.training.output import Output, RunOutput, Silence
from distgrad.training.run_folder import check_run_folder
from distgrad.training.step_report import StepReport
from distgrad.training.summary import Summary, peak_rss_mb
from distgrad.training.together import together
from distgrad.training.trainer import Trainer
from distgrad.training.weights import weights_sha256

__all__ = ["prepare", "train"]


def prepare(
    config_path: Path, overrides: Sequence[str], run_dir: Path | None, ranks: int
) -> tuple[Config, Path]:
    """Check all that can be checked of a run before its data is read.

    Args:
        config_path: The configuration.
        overrides: Changes to it, as `--set` takes them.
        run_dir: The folder of the run; None is ``runs/NAME``.
        ranks: How many ranks shall train.

    Returns:
        The configuration and the folder of the run, which is not made yet.

    Raises:
        UsageError: If something is wrong with one of them.
    """
    config = load_config(config_path, overrides)
    config.check_ranks(ranks)
    path = run_dir or Path("runs") / config.run.name
    # Not on a rank that writes nothing: its host may not have what rank 0's has.
    if launched_rank() == 0:
        check_run_folder(path)
    return config, path


def train(config: Config, comm: Communicator, path: Path) -> Summary:
    """Train, and leave in ``path`` what is to be known of it; rank 0 writes and prints.

    Args:
        config: The run.
        comm: The ranks; all of them call this.
        path: The folder of the run, which must not exist.

    Raises:
        UsageError: On every rank, if something does not fit, before the first step; no folder is
            left.
        TrainingError: On every rank, if the training failed; ``summary.json`` says so.
    """
    start = perf_counter()
    trainer = Trainer(config, comm)
    config = trainer.config
    environment = describe_environment(comm)
    output: Output = together(
        comm,
        lambda: (
            Silence() if comm.rank else RunOutput(path, config, environment, trainer.vocabulary)
        ),
    )
    tally, metrics, text, failure = Tally(), {}, None, None
    try:
        for report in output.follow(trainer.steps(), trainer.last_step):
            tally.add(report)
        metrics = tally.last_test or trainer.evaluate()
        _check_replicas(trainer)
        text = None if comm.rank else trainer.sample()
    except TrainingError as error:
        failure = error
    summary = _summarise(trainer, tally, metrics, failure, start)
    output.finish(summary, trainer.model.module, text)
    comm.barrier()  # a rank that leaves with an error may end rank 0 before its files are whole
    if failure:
        raise failure
    return summary


@dataclass
class Tally:
    """What the steps of a run add up to."""

    last: StepReport | None = None
    samples: int = 0
    seconds: float = 0.0

    def add(self, report: StepReport) -> None:
        """Count one step."""
        self.last = report
        self.samples += report.samples
        self.seconds += report.seconds

    @property
    def last_test(self) -> dict[str, float] | None:
        """What an evaluation after the last step gave, if there was one."""
        return self.last.test if self.last else None


def _check_replicas(trainer: Trainer) -> None:
    """Raise on every rank if the ranks ended with different weights."""
    comm = trainer.model.comm
    hashes = comm.all_gather_object(weights_sha256(trainer.model.module))
    for rank, weights in enumerate(hashes):
        if weights != hashes[0]:
            raise TrainingError(
                f"the ranks ended with different weights: rank 0 has {hashes[0]}, rank {rank} has "
                f"{weights}; look for what depends on the rank in the model (its buffers too), or "
                "for hosts whose environments differ"
            )


def _data_sha256(dataset: Any) -> str | None:
    return data_sha256(dataset) if isinstance(dataset, TensorDataset) else None


def _summarise(
    trainer: Trainer,
    tally: Tally,
    metrics: dict[str, float],
    failure: TrainingError | None,
    start: float,
) -> Summary:
    config, comm = trainer.config, trainer.model.comm
    steps = tally.last.step if tally.last else 0
    return Summary(
        status="failed" if failure else "done",
        error=str(failure) if failure else None,
        steps=steps,
        epochs=trainer.epochs,
        world_size=comm.size,
        micro_batches_per_step=config.data.micro_batches,
        final_loss=tally.last.loss if tally.last else None,
        metrics=metrics,
        weights_sha256=weights_sha256(trainer.model.module),
        data_sha256=_data_sha256(trainer.split.train),
        samples_per_second=tally.samples / tally.seconds if tally.seconds else None,
        wall_seconds=perf_counter() - start,
        peak_rss_mb=comm.all_gather_object(peak_rss_mb()),
        reduction=config.distributed.reduction,
    )
