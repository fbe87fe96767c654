"""A run that goes on: from which checkpoint, and whether it is still the same run."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distgrad.errors import UsageError
from distgrad.training.checkpoint import Checkpoint, CheckpointError, CheckpointStore
from distgrad.training.config import Config
from distgrad.training.differences import changed_keys, environment_differences
from distgrad.training.run_folder import RunFolder
from distgrad.training.state import check_layout
from distgrad.training.toml import dumps, format_value

__all__ = ["Resumption", "look_for_resumption"]

_FREE_SECTIONS = ("checkpoint", "sample")

_FREE_KEYS = (
    "run.name",
    "run.device",
    "distributed.transport",
    "data.num_workers",
    "training.capture",
    "training.max_steps",
    "training.max_epochs",
    "training.target_loss",
    "training.target_metric",
    "training.patience",
    "training.min_delta",
)
"""What may change in the middle of a run, because the weights of a step do not depend on it, or, as
on the device, no more than on the rest of the environment."""

_EVALUATIONS = (
    "training.metrics",
    "training.evaluate_every_epochs",
    "training.evaluate_every_steps",
)
"""What may change, too, if nothing is made of evaluations that the weights could depend on."""

_ALIKE = {"tree", "sharded"}
"""Reductions that give the same bits."""


@dataclass(frozen=True)
class Resumption:
    """What a run goes on from.

    Attributes:
        checkpoint: The newest that is whole; None to begin anew.
        skipped: A line for each newer one that is not whole.
        changed: The keys of the configuration that have changed, with the values before and now.
        warnings: What is not as it was, and what that means.
    """

    checkpoint: Checkpoint | None = None
    skipped: list[str] = field(default_factory=list)
    changed: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def look_for_resumption(
    folder: RunFolder, config: Config, data: Mapping[str, Any], environment: Mapping[str, Any]
) -> Resumption:
    """Find what the run in a folder can go on from; nothing is changed.

    Args:
        folder: The run's.
        config: How it shall go on.
        data: See `Trainer.data`.
        environment: What it shall go on in.

    Raises:
        UsageError: If the configuration or the data are those of another run, or if there are
            checkpoints and none of them can be used.
    """
    store = CheckpointStore(folder.path / "checkpoints")
    try:
        found = store.newest()
    except CheckpointError as error:
        raise UsageError(str(error)) from error
    if found.checkpoint is None:
        if found.skipped:
            raise UsageError(
                f"no checkpoint in {store.folder} can be used; bring one back, or begin anew in "
                f"another folder with --run-dir{_listed(found.skipped)}"
            )
        return Resumption()
    check_layout(found.checkpoint.state)
    changed = _changed(_recorded(folder.path / "config.toml"), _document(config))
    _check_configuration(changed, config, folder.path)
    _check_data(found.checkpoint.state["data"], data, folder.path)
    differences = _differences(folder.read_json("environment.json"), environment)
    warnings = []
    if differences and config.distributed.reduction != "allreduce":
        warnings.append(
            f"the environment is not that of the run before: {'; '.join(differences)}: the result "
            "can differ in its last bits from that of a run which was never interrupted"
        )
    return Resumption(found.checkpoint, found.skipped, changed, warnings)


def _recorded(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: cannot be read ({error}); without it the run cannot be told from another: "
            "bring it back, or begin anew in another folder with --run-dir"
        ) from error


def _document(config: Config) -> dict[str, Any]:
    """Return a configuration as it comes back from the file that it is written to."""
    return tomllib.loads(dumps(config.model_dump(mode="json")))


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return `changed_keys`, but for keys that did not exist yet and have their defaults now."""
    return {
        key: (old, new)
        for key, (old, new) in changed_keys(before, now).items()
        if old is not None or new != _default(key)
    }


def _default(key: str) -> Any:
    """Return what a key of a section means where it is not given, as a file has it."""
    section, _, name = key.partition(".")
    model = Config.model_fields[section].annotation
    field = getattr(model, "model_fields", {}).get(name)
    default = field.default if field else None
    return list(default) if isinstance(default, tuple) else default


def _check_configuration(
    changed: Mapping[str, tuple[Any, Any]], config: Config, path: Path
) -> None:
    free = _FREE_KEYS + (() if config.follows_evaluations else _EVALUATIONS)
    lines = [
        _refusal(key, before, now)
        for key, (before, now) in changed.items()
        if not (
            key in free
            or key.partition(".")[0] in _FREE_SECTIONS
            or (key == "distributed.reduction" and {before, now} == _ALIKE)
        )
    ]
    if lines:
        raise UsageError(
            f"the run in {path} cannot go on with another configuration, which would give another "
            f"result; take the values back, or begin another run with --run-dir{_listed(lines)}"
        )


def _refusal(key: str, before: Any, now: Any) -> str:
    if before is None:
        return f"{key} = {format_value(now)} was not given; take it out"
    was = format_value(before)
    given = "is not given" if now is None else f"= {format_value(now)}"
    return f"{key} {given}, and was {was}: --set '{key}={was}'"


def _check_data(before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    if before == now:
        return
    what = "samples" if before["samples"] != now["samples"] else "sha256"
    raise UsageError(
        f"the data has changed since the run in {path}: {what} {now[what]}, and was "
        f"{before[what]}; bring the old data back (the built-in text is another for each version "
        "of Python), or begin another run with --run-dir"
    )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing of two environments that the bits of a result depend on."""
    if not before:
        return ["environment.json cannot be read"]
    differences = environment_differences(before, now)
    return [f"{name} {new}, was {old}" for name, (old, new) in differences.items()]


def _listed(lines: list[str]) -> str:
    return "".join(f"\n  {line}" for line in lines)
