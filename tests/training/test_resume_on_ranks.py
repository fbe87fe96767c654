"""Runs under the real mpirun that are killed or stopped, and go on with other numbers of ranks."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.mpi import environment, mpirun, mpirun_path
from helpers.resuming import variant

from distgrad.distributed import SingleProcess
from distgrad.training import parse_config
from distgrad.training.checkpoint import CheckpointStore
from distgrad.training.run import train
from distgrad.training.toml import dumps

pytestmark = pytest.mark.skipif(mpirun_path() is None, reason="needs an mpirun")

TESTS = str(Path(__file__).parents[1])

SAME = ("status", "steps", "epochs", "final_loss", "metrics", "weights_sha256", "data_sha256")

DOCUMENT = variant("cnn", "checkpoint.every_steps=1").model_dump(mode="json", exclude_none=True)
DOCUMENT["training"]["loss"] = "helpers.striking:cross_entropy"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "undisturbed"
    train(parse_config(DOCUMENT), SingleProcess(), path)
    return result(path)


@pytest.fixture
def run(tmp_path):
    """The folder of a run that has not begun; its configuration is beside it."""
    (tmp_path / "cnn.toml").write_text(dumps(DOCUMENT))
    return tmp_path / "run"


def argv(run, *words):
    config = run.parent / "cnn.toml"
    return ["python", "-m", "distgrad", "train", config, "--run-dir", run, *words]


def on_ranks(n, run, *words, strike=None):
    changes = {"PYTHONPATH": TESTS} | ({"STRIKE": strike} if strike else {})
    return mpirun(n, argv(run, *words), timeout=120, env=changes)


def result(path):
    summary = json.loads((path / "summary.json").read_text())
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    rows = [{k: v for k, v in line.items() if k != "seconds"} for line in lines]
    return [summary[key] for key in SAME], rows


def status(path):
    summary = json.loads((path / "summary.json").read_text())
    return summary["status"], summary["steps"]


# A rank that dies


@pytest.mark.parametrize(
    ("before", "strike", "after"),
    [
        (2, "SIGKILL train 4 1", 3),
        (3, "SIGKILL train 3 0", 1),
        (1, "SIGKILL train 5 0", 4),
        (4, "SIGKILL evaluate 1 1", 2),
    ],
)
def test_a_killed_rank_costs_no_bit(run, undisturbed, before, strike, after):
    killed = on_ranks(before, run, strike=strike)
    assert killed.returncode not in (0, 130)
    assert not (run / "summary.json").exists()
    done = on_ranks(after, run, "--resume")
    assert done.returncode == 0, done.stderr
    assert result(run) == undisturbed
    assert done.stdout.count("goes on from step ") == 1


def test_it_can_be_killed_again_and_again(run, undisturbed):
    for ranks, strike in (
        (2, "SIGKILL train 1 0"),
        (1, "SIGKILL train 2 0"),
        (3, "SIGKILL train 4 1"),
    ):
        assert on_ranks(ranks, run, "--resume", strike=strike).returncode not in (0, 130)
    done = on_ranks(2, run, "--resume")
    assert done.returncode == 0, done.stderr
    assert result(run) == undisturbed
    assert json.loads((run / "summary.json").read_text())["restarts"] == 3


# A stop that one rank, or all of them, hear of


@pytest.mark.parametrize(
    ("before", "strike", "steps", "after"),
    [
        (2, "SIGUSR1 train 3 1", 3, 1),
        (3, "SIGUSR1 train 5 0", 5, 2),
        (2, "SIGUSR1 evaluate 1 1", 2, 3),
        (3, "SIGUSR1 evaluate 3 0", 6, 2),  # in the evaluation after the last step
    ],
)
def test_all_ranks_stop_at_the_same_step(run, undisturbed, before, strike, steps, after):
    stopped = on_ranks(before, run, strike=strike)
    assert stopped.returncode == 130, stopped.stderr
    assert stopped.stderr.count(f"interrupted after step {steps}, of which there is a check") == 1
    assert "Traceback" not in stopped.stderr
    assert status(run) == ("interrupted", steps)
    assert CheckpointStore(run / "checkpoints").newest().checkpoint.step == steps
    assert len((run / "metrics.jsonl").read_text().splitlines()) == steps
    done = on_ranks(after, run, "--resume")
    assert done.returncode == 0, done.stderr
    assert result(run) == undisturbed


def signalled(n, run):
    """Start a run that would not end, and send mpirun SIGUSR1 once it makes steps."""
    command = [mpirun_path(), "-n", str(n), sys.executable, *map(str, argv(run)[1:])]
    command += ["--set", "training.max_epochs=1000000", "--set", "scheduler.steps=6"]
    job = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment({"PYTHONPATH": TESTS}),
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        metrics = run / "metrics.jsonl"
        while not (metrics.exists() and metrics.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        job.send_signal(signal.SIGUSR1)
        _, stderr = job.communicate(timeout=60)
    finally:
        if job.poll() is None:
            job.kill()
            job.communicate(timeout=30)
    return job.returncode, stderr


def test_a_signal_to_mpirun_reaches_the_ranks(run):
    returncode, stderr = signalled(2, run)
    assert returncode == 130, stderr
    state, steps = status(run)
    assert state == "interrupted"
    assert CheckpointStore(run / "checkpoints").newest().checkpoint.step == steps
    assert len((run / "metrics.jsonl").read_text().splitlines()) == steps


# What is refused, or said, once


def test_a_refusal_is_said_once_and_so_is_that_a_run_is_done(run):
    train(parse_config(DOCUMENT), SingleProcess(), run)
    refused = on_ranks(3, run, "--resume", "--set", "optimizer.lr=0.5")
    assert refused.returncode == 2
    assert refused.stderr.count("cannot go on with another configuration") == 1
    assert refused.stderr.count("optimizer.lr = 0.5, and was ") == 1
    assert refused.stdout == ""
    done = on_ranks(3, run, "--resume")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the run is done after 6 steps, and nothing is left to do") == 1


def test_a_folder_that_cannot_be_written_fails_all_ranks(run):
    """The checkpoints, and nothing before them."""
    run.mkdir()
    (run / "config.toml").touch()
    (run / "checkpoints").symlink_to(run.parent / "nowhere")
    failed = on_ranks(2, run, "--resume")
    assert failed.returncode == 3, failed.stderr
    assert failed.stderr.count("error: the checkpoint ") == 1
    assert "cannot be written" in failed.stderr
    assert status(run)[0] == "failed"


def test_mpis_own_sum_goes_on_too(run):
    allreduce = ["--set", "distributed.reduction=allreduce"]
    assert on_ranks(2, run, *allreduce, strike="SIGUSR1 train 3 0").returncode == 130
    done = on_ranks(2, run, "--resume", *allreduce)
    assert done.returncode == 0, done.stderr
    assert status(run) == ("done", 6)
