"""A run: training from a configuration, with its folder, its checkpoints and its report."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from distgrad.distributed import Communicator, launched_rank
from distgrad.errors import DistgradError, Interrupted, TrainingError, UsageError
from distgrad.training.agreement import check_configuration, check_data, compare_environments
from distgrad.training.callbacks import Callback
from distgrad.training.config import Config
from distgrad.training.environment import describe_environment
from distgrad.training.loading import load_config
from distgrad.training.metrics import Value
from distgrad.training.output import Output, RunOutput, Silence
from distgrad.training.resume import Resumption
from distgrad.training.run_folder import RunFolder, cannot_be_written, check_run_folder
from distgrad.training.saving import Saving
from distgrad.training.sharing import share
from distgrad.training.state import pack_states
from distgrad.training.summary import Summary, peak_rss_mb
from distgrad.training.together import together
from distgrad.training.trainer import Trainer
from distgrad.training.weights import weights_sha256

__all__ = ["prepare", "train"]

Listen = Callable[[Callable[[], None]], None]


def prepare(
    config_path: Path,
    overrides: Sequence[str],
    run_dir: Path | None,
    ranks: int,
    resume: bool = False,
) -> tuple[Config, Path]:
    """Check all that can be checked of a run before its data is read.

    Args:
        config_path: The configuration.
        overrides: Changes to it, as `--set` takes them.
        run_dir: The folder of the run; None is ``runs/NAME``.
        ranks: How many ranks shall train.
        resume: Whether the folder may be there, to go on with the run in it.

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
        check_run_folder(path, resume)
    return config, path


def train(
    config: Config,
    comm: Communicator,
    path: Path,
    *,
    resume: bool = False,
    listen: Listen = lambda _: None,
    callbacks: Iterable[Callback] = (),
) -> Summary:
    """Train, and leave in ``path`` what is to be known of it; rank 0 writes and prints.

    Args:
        config: The run.
        comm: The ranks; all of them call this.
        path: The folder of the run, which must not exist, unless it is resumed.
        resume: Go on from the newest checkpoint in the folder that is whole; if there is none yet,
            begin anew in it. A run that is done is left as it is.
        listen: Is given a function that asks the run to stop, to call it when it shall.
        callbacks: What looks into the run, after the callbacks of the configuration.

    Returns:
        What ``summary.json`` says.

    Raises:
        UsageError: On every rank, if something does not fit, before the first step; no folder is
            left, and one that was there is as it was.
        TrainingError: On every rank, if the training failed, or if something could not be written;
            ``summary.json`` says so.
        Interrupted: On every rank, if one of them was asked to stop: after the step, when a
            checkpoint of it is written.
    """
    start = perf_counter()
    check_configuration(comm, config)
    trainer = Trainer(config, comm, callbacks)
    check_data(comm, trainer.split)
    listen(trainer.model.request_stop)
    _check_can_be_saved(trainer)
    output: Output = together(
        comm, lambda: Silence() if comm.rank else RunOutput(RunFolder(path, resume))
    )
    with output:
        return _begin(trainer, output) or _run(trainer, output, start)


def _check_can_be_saved(trainer: Trainer) -> None:
    """Refuse, the same on every rank, what would fail at the first checkpoint."""
    try:
        pack_states(trainer.stateful)
    except TypeError as error:
        raise UsageError(str(error)) from error


def _begin(trainer: Trainer, output: Output) -> Summary | None:
    """Go on from the checkpoint that there may be; return the summary of a run that is done."""
    comm = trainer.model.comm
    environment = describe_environment(comm, trainer.device, trainer.model.transport)
    warnings = compare_environments(comm, environment)
    resumption = together(comm, lambda: output.look(trainer, environment))
    resumption = replace(resumption, warnings=[*warnings, *resumption.warnings])
    checkpoint = share(comm, resumption.checkpoint)
    if checkpoint is not None:
        together(comm, lambda: trainer.restore(checkpoint))
    if trainer.is_over:
        done: Summary | None = comm.all_gather_object(output.result())[0]
        if done is not None:
            return done
    together(comm, lambda: _begin_folder(trainer, output, resumption, environment))
    return None


def _begin_folder(
    trainer: Trainer, output: Output, resumption: Resumption, environment: dict[str, Any]
) -> None:
    try:
        output.begin(trainer, resumption, environment)
    except OSError as error:
        raise UsageError(cannot_be_written(error)) from error


def _run(trainer: Trainer, output: Output, start: float) -> Summary:
    ending = _told(trainer, _train_and_save(trainer, output))
    summary = _summarise(trainer, ending, output.restarts(), start)
    try:
        # A rank that leaves with an error may end rank 0 before its files are whole.
        together(
            trainer.model.comm,
            lambda: _finish_folder(trainer, output, summary, ending),
            TrainingError,
        )
    except TrainingError as error:
        raise (ending.error or error) from None
    if ending.error:
        raise ending.error
    return summary


def _told(trainer: Trainer, ending: "_Ending") -> "_Ending":
    """Tell the callbacks how the run has ended; one that fails then is a failure of the run."""
    try:
        trainer.callbacks.tell("on_end", trainer, ending.status)
    except TrainingError as error:
        return ending if ending.error else _Ending("failed", error)
    return ending


def _finish_folder(trainer: Trainer, output: Output, summary: Summary, ending: "_Ending") -> None:
    try:
        output.finish(summary, trainer.evaluated, ending.text)
    except OSError as error:
        raise TrainingError(f"{cannot_be_written(error)}, then run it with --resume") from error


@dataclass
class _Ending:
    """How the steps of a run ended."""

    status: str
    error: DistgradError | None = None
    metrics: dict[str, Value] = field(default_factory=dict)
    text: str | None = None


def _train_and_save(trainer: Trainer, output: Output) -> _Ending:
    """Make the steps and write the checkpoints, and wait for the last of them."""
    saving = Saving(trainer, output)
    try:
        try:
            return _train_to_the_end(trainer, output, saving)
        except Interrupted:
            saving.save()
            saving.finish()
            last = trainer.progress.last
            interrupted = Interrupted(
                f"interrupted after step {trainer.progress.steps}, of which there is a checkpoint; "
                "go on with --resume"
            )
            return _Ending("interrupted", interrupted, (last and last.test) or {})
    except TrainingError as error:
        saving.close()
        return _Ending("failed", error)


def _train_to_the_end(trainer: Trainer, output: Output, saving: Saving) -> _Ending:
    for report in output.follow(trainer.steps(), trainer.last_step):
        saving.after(report)
    _check_replicas(trainer)
    saving.save()
    progress = trainer.progress
    metrics = progress.last.test if progress.last else None
    if metrics is None:
        metrics = trainer.evaluate()
        trainer.callbacks.tell("on_evaluate", trainer, metrics)
        if progress.best_step is not None:  # else there is nothing that it could be better than
            progress.note_evaluation(metrics, trainer.config.training)
            saving.save()  # again, if it was the best
    text = None if trainer.model.comm.rank else trainer.sample()
    saving.finish()
    return _Ending("done", None, metrics, text)


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


def _summarise(trainer: Trainer, ending: _Ending, restarts: int, start: float) -> Summary:
    config, comm, progress = trainer.config, trainer.model.comm, trainer.progress
    return Summary(
        status=ending.status,
        error=str(ending.error) if ending.status == "failed" else None,
        steps=progress.steps,
        epochs=progress.epochs,
        world_size=comm.size,
        micro_batches_per_step=config.data.micro_batches,
        final_loss=progress.last.loss if progress.last else None,
        metrics=ending.metrics,
        weights_sha256=weights_sha256(trainer.evaluated),
        data_sha256=trainer.data["sha256"],
        samples_per_second=progress.samples / progress.seconds if progress.seconds else None,
        wall_seconds=perf_counter() - start,
        peak_rss_mb=comm.all_gather_object(peak_rss_mb()),
        reduction=config.distributed.reduction,
        restarts=restarts,
        skipped_steps=progress.skipped,
    )
