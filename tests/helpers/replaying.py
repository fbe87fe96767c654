"""Runs to make again: parts that fail at a chosen micro-batch, and files changed afterwards."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import distgrad as dg
from distgrad import nn
from distgrad.autograd.random_scope import _scope
from distgrad.data import Split, TensorDataset
from distgrad.training.checkpoint import Checkpoint, CheckpointStore


def points(changed: int = -1, value: float = 0.5) -> Split:
    """A line of 70 points, one of which may have another y."""
    x = np.linspace(-1, 1, 70, dtype=np.float32)[:, None]
    y = x**2
    if changed >= 0:
        y[changed] = value
    return Split(TensorDataset(x=x, y=y), TensorDataset(x=x[:9], y=y[:9]))


def points_and_one_not_a_number() -> Split:
    """The line with a point that has no y."""
    return points(3, float("nan"))


class Faulty(nn.Module):
    """Two layers with a fault between them in one micro-batch of one step."""

    def __init__(self, fault: str, step: int = 4, micro_batch: int = 2) -> None:
        super().__init__()
        self.first = nn.Linear(1, 4)
        self.second = nn.Linear(4, 1)
        self.fault = fault
        self.when = step, micro_batch

    def forward(self, x: dg.Tensor) -> dg.Tensor:
        h = dg.tanh(self.first(x))
        scope = _scope.get()
        if scope and (scope.step, scope.micro_batch) == self.when and dg.is_grad_enabled():
            h = FAULTS[self.fault](h)
        return self.second(h)


def _raise(_h: dg.Tensor) -> dg.Tensor:
    raise RuntimeError("the model broke")


FAULTS: dict[str, Callable[[dg.Tensor], dg.Tensor]] = {
    "nan": lambda h: h * float("nan"),
    "steep": lambda h: h + 0 * dg.sqrt(h - h.detach()),  # 0, and its gradient is not a number
    "raise": _raise,
    "half": lambda h: h / 2,
    "double backward": lambda h: 2 * h - h.detach(),  # the same value, and twice the gradient
}


def copied(run: Path, to: Path) -> Path:
    """A copy of a run, to be changed."""
    return Path(shutil.copytree(run, to))


def rows(run: Path) -> list[dict[str, Any]]:
    """The recorded steps."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def write_rows(run: Path, changed: list[dict[str, Any]]) -> None:
    """Replace the recorded steps."""
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in changed))


def change_row(run: Path, step: int, name: str) -> None:
    """Change the last bit of a recorded number."""
    changed = rows(run)
    changed[step - 1][name] = float(np.nextafter(changed[step - 1][name], np.inf))
    write_rows(run, changed)


def flip_bit(run: Path, step: int, group: str, name: str) -> None:
    """Flip a bit of an array in a checkpoint, as if it had been so when it was written."""
    store = CheckpointStore(run / "checkpoints")
    found = store.read(step)
    arrays = {g: {n: a.copy() for n, a in named.items()} for g, named in found.arrays.items()}
    arrays[group][name].reshape(-1).view(np.uint8)[0] ^= 1
    store.save(Checkpoint(step, arrays, found.state))


def change_json(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
