"""A process that is killed while it saves leaves a whole checkpoint, and the next one goes on."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from helpers import save_until_killed
from helpers.checkpoints import assert_same, checkpoint_of

import distgrad
from distgrad.training.checkpoint import CheckpointStore

PATHS = [Path(__file__).parents[2], Path(distgrad.__file__).parents[1]]
ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join([*map(str, PATHS), os.environ.get("PYTHONPATH", "")]),
    "OPENBLAS_NUM_THREADS": "1",  # where a process with threads is forked, Python warns
}


def command(module: str, *words: object) -> Sequence[str]:
    return [sys.executable, "-m", f"helpers.{module}", *map(str, words)]


def saved_until_killed(folder: Path, seed: int, seconds: float) -> list[tuple[int, int]]:
    """Have checkpoints saved for so long after the first; return what was said to be saved."""
    process = subprocess.Popen(
        command("save_until_killed", folder, seed),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        first = process.stdout.readline()
        time.sleep(seconds)
    finally:
        process.kill()
        rest, _ = process.communicate(timeout=60)
    return [tuple(map(int, line.split())) for line in (first + rest).splitlines()]


def test_killed_at_random_moments(tmp_path) -> None:
    store = CheckpointStore(tmp_path / "checkpoints")
    moments = random.Random(0)
    for seed in range(8):
        acknowledged = saved_until_killed(store.folder, seed, moments.uniform(0, 0.4))[-1]
        found = store.newest()
        assert found.skipped == []
        step, version = found.checkpoint.step, found.checkpoint.state["version"]
        assert (step, version) >= acknowledged
        expected = checkpoint_of(step, version, rows=save_until_killed.ROWS)
        assert_same(found.checkpoint, expected)


def test_killed_before_each_operation(tmp_path) -> None:
    subprocess.run(
        command("killed_at_each_operation", tmp_path), env=ENVIRONMENT, check=True, timeout=120
    )
    folders = sorted(tmp_path.iterdir(), key=lambda folder: int(folder.name))
    newest = []
    for folder in folders:
        store = CheckpointStore(folder)
        found = store.newest()
        assert found.skipped == []
        newest.append((found.checkpoint.step, found.checkpoint.state["version"]))
        assert_same(found.checkpoint, checkpoint_of(*newest[-1]))
        store.save(checkpoint_of(4))
        assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
        assert set(store.steps()) <= {1, 2, 3, 4}
    assert len(folders) > 30
    assert newest == sorted(newest)
    assert set(newest) == {(2, 0), (2, 1), (3, 0)}
