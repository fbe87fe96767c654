"""A small configuration for tests of training: quick, with partial windows and micro-batches."""

import tomllib
from pathlib import Path
from typing import Any

from distgrad.training import Config, parse_config
from distgrad.training.overrides import apply_overrides

TINY = """
[run]
name = "tiny"

[model]
name = "mlp"
sizes = [1, 8, 1]
activation = "tanh"
dropout = 0.1

[data]
global_batch_size = 28  # 4 micro-batches, the last of them short
micro_batch_size = 8

[data.source]
name = "sine"
samples = 70  # 3 windows, the last of them partial
test_samples = 21

[optimizer]
name = "adamw"
lr = 1e-2

[training]
loss = "mse"
max_epochs = 2
"""


def tiny_document(*assignments: str) -> dict[str, Any]:
    """The configuration as nested dicts, changed by assignments ``section.key=value``."""
    document = tomllib.loads(TINY)
    apply_overrides(document, assignments)
    return document


def tiny_config(*assignments: str) -> Config:
    """The configuration, changed and checked."""
    return parse_config(tiny_document(*assignments))


def tiny_file(folder: Path) -> Path:
    """The configuration as a file in ``folder``."""
    path = folder / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path
