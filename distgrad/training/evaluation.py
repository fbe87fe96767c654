"""`distgrad evaluate`: a finished run, measured again."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from distgrad.data import TensorDataset, Vocabulary, data_sha256
from distgrad.distributed import Communicator
from distgrad.errors import UsageError
from distgrad.nn import Module
from distgrad.training.config import Config
from distgrad.training.loading import load_config
from distgrad.training.metrics import Value
from distgrad.training.report import print_metrics
from distgrad.training.together import together
from distgrad.training.trainer import Trainer
from distgrad.training.weights import load_weights, weights_sha256

__all__ = ["evaluate_run"]


def evaluate_run(folder: Path, overrides: Sequence[str], comm: Communicator) -> dict[str, Value]:
    """Measure the weights of a finished run on its test samples; rank 0 prints.

    Args:
        folder: What the run left.
        overrides: Changes to its configuration, as `--set` takes them. With one of ``data.source``
            the samples may be others than those of the run.
        comm: The ranks, as many as one likes; all of them call this.

    Returns:
        The metrics.

    Raises:
        UsageError: On every rank, if there is no finished run in the folder, if its files do not
            belong together, or if its data has changed.
    """
    config, summary = together(comm, lambda: _finished_run(folder, overrides))
    trainer = Trainer(config, comm)
    together(comm, lambda: _load(trainer.evaluated, folder, summary))
    if any(change.strip().startswith("data.source") for change in overrides):
        together(comm, lambda: _check_vocabulary(trainer.vocabulary, folder))
    else:
        together(comm, lambda: _check_data(trainer.split.train, folder, summary))
    metrics = trainer.evaluate()
    if comm.rank == 0:
        print_metrics(metrics, summary["weights_sha256"], folder, sys.stdout)
    return metrics


def _finished_run(folder: Path, overrides: Sequence[str]) -> tuple[Config, dict[str, Any]]:
    if not (folder / "config.toml").is_file():
        what = "it has no config.toml" if folder.is_dir() else "there is no such folder"
        raise UsageError(f"{folder} is not the folder of a run: {what}; name one, as runs/NAME")
    if not (folder / "summary.json").exists():
        raise UsageError(
            f"the run in {folder} has no summary.json: it still trains, or was ended before it was "
            "done (then go on with it with --resume); only a run that is done can be evaluated"
        )
    summary = _read(folder / "summary.json", {"status", "error", "weights_sha256", "data_sha256"})
    if summary["status"] == "interrupted":
        raise UsageError(
            f"the run in {folder} was interrupted; only a run that is done can be evaluated: go on "
            "with it with --resume"
        )
    if summary["status"] != "done":
        raise UsageError(
            f"the run in {folder} {summary['status']} ({summary['error']}); only a run that is "
            "done can be evaluated"
        )
    return load_config(folder / "config.toml", overrides), summary


def _read(path: Path, keys: set[str]) -> dict[str, Any]:
    """Return what a JSON file says, which has these keys at least."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
    if not isinstance(content, dict) or not keys <= content.keys():
        raise UsageError(f"{path}: cannot be read (it must have {', '.join(sorted(keys))})")
    return content


def _load(module: Module, folder: Path, summary: dict[str, Any]) -> None:
    path = folder / "weights.safetensors"
    load_weights(module, path)
    found = weights_sha256(module)
    if found != summary["weights_sha256"]:
        raise UsageError(
            f"{path} has weights_sha256 {found}, but summary.json says "
            f"{summary['weights_sha256']}: one of the files was changed; train again"
        )


def _check_data(train: Any, folder: Path, summary: dict[str, Any]) -> None:
    found = data_sha256(train) if isinstance(train, TensorDataset) else None
    if found != summary["data_sha256"]:
        raise UsageError(
            f"the data has changed since the run in {folder}: data_sha256 is {found} and was "
            f"{summary['data_sha256']}; bring the old data back (the built-in text is another for "
            "each version of Python), or say what to evaluate on by --set data.source.KEY=VALUE"
        )


def _check_vocabulary(vocabulary: Vocabulary | None, folder: Path) -> None:
    """Refuse a text whose characters have other numbers than those that the model has learned."""
    path = folder / "vocabulary.json"
    if vocabulary is None or not path.exists():
        return
    learned = _read(path, {"characters"})["characters"]
    if vocabulary.characters != learned:
        raise UsageError(
            f"the text has the characters {vocabulary.characters!r}, but the run in {folder} has "
            f"learned {learned!r}; give a text of the same characters"
        )
