"""From a TOML file and `--set` to a configuration, or to one message with all that is wrong."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from distgrad.errors import UsageError
from distgrad.training.config import Config, known_keys
from distgrad.training.overrides import apply_overrides
from distgrad.training.problems import explain

__all__ = ["load_config", "parse_config"]


def load_config(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration from a file, change it by ``overrides`` and check it.

    Args:
        path: A TOML file.
        overrides: ``section.key=value``, as ``--set`` takes them.

    Raises:
        UsageError: Naming the file and every problem in it.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: is not valid TOML: {error}") from error
    apply_overrides(document, overrides)
    run = document.setdefault("run", {})
    if isinstance(run, dict):
        run.setdefault("name", path.stem)
    return parse_config(document, str(path))


def parse_config(document: Mapping[str, Any], origin: str = "configuration") -> Config:
    """Check a configuration that is given as nested mappings.

    Args:
        document: The sections by name.
        origin: What a message calls the configuration.

    Raises:
        UsageError: Naming every problem.

    Example:
        >>> parse_config({"run": {"name": "a"}, "training": {"loss": "mse", "max_step": 3}})
        Traceback (most recent call last):
        distgrad.errors.UsageError: configuration has 4 problems:
          ...
          training.max_step: unknown key; did you mean "max_steps"? ...
    """
    try:
        # From JSON, because there strict types still let an array be a tuple.
        return Config.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        lines = explain(error, document, known_keys)
        if len(lines) == 1:
            raise UsageError(f"{origin}: {lines[0]}") from error
        listed = "".join(f"\n  {line}" for line in lines)
        raise UsageError(f"{origin} has {len(lines)} problems:{listed}") from error
