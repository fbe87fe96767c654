"""Callbacks: what they are told, what they may do, and how one that fails ends the run."""

import json
import sys

import pytest
from helpers.configs import tiny_config, tiny_document
from helpers.mpi import mpirun

from distgrad.cli import main
from distgrad.distributed import SingleProcess
from distgrad.errors import RankError, TrainingError, UsageError
from distgrad.training import Callback, Trainer, parse_config, train
from distgrad.training.toml import dumps
from distgrad.training.weights import weights_sha256

PARTS = """
from distgrad.training import Callback


class Fails(Callback):
    def __init__(self, rank: int = 0, step: int = 2, event: str = "on_step_end"):
        self.when = rank, step, event

    def fail(self, event, trainer):
        if self.when == (trainer.model.comm.rank, trainer.progress.steps, event):
            raise ZeroDivisionError("that was too much")

    def on_start(self, trainer):
        self.fail("on_start", trainer)

    def on_step_end(self, trainer, report):
        self.fail("on_step_end", trainer)

    def on_evaluate(self, trainer, metrics):
        self.fail("on_evaluate", trainer)

    def on_end(self, trainer, status):
        self.fail("on_end", trainer)


class Enough(Callback):
    def __init__(self, rank: int, step: int):
        self.when = rank, step

    def on_step_end(self, trainer, report):
        if self.when == (trainer.model.comm.rank, report.step):
            trainer.request_end()


class Halving(Callback):
    # Changes what is trained by what is measured.
    def on_evaluate(self, trainer, metrics):
        for group in trainer.optimizer.param_groups:
            group["lr"] *= 0.5 if metrics["loss"] > 0.4 else 0.9


def no_callback():
    return print
"""


class Noted(Callback):
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def on_start(self, trainer):
        self.told.append(("start", trainer.progress.steps))

    def on_step_end(self, trainer, report):
        assert trainer.progress.last is report
        self.told.append(("step", report.step))

    def on_evaluate(self, trainer, metrics):
        self.told.append(("evaluate", trainer.progress.steps, *metrics))

    def on_end(self, trainer, status):
        self.told.append(("end", trainer.progress.steps, status))


@pytest.fixture
def parts(tmp_path, monkeypatch):
    (tmp_path / "own_callbacks.py").write_text(PARTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("own_callbacks", None)


def with_callback(name, *assignments, **arguments):
    document = tiny_document(*assignments)
    document["training"]["callbacks"] = [{"name": f"own_callbacks:{name}", **arguments}]
    return document


def test_what_a_callback_is_told(tmp_path):
    noted = Noted()
    config = tiny_config("training.evaluate_every_epochs=1", "training.max_steps=5")
    train(config, SingleProcess(), tmp_path / "run", callbacks=[noted])
    assert noted.told == [
        ("start", 0),
        ("step", 1),
        ("step", 2),
        ("step", 3),
        ("evaluate", 3, "loss"),
        ("step", 4),
        ("step", 5),
        ("evaluate", 5, "loss"),
        ("end", 5, "done"),
    ]


def test_a_run_that_goes_on_is_told_from_there(tmp_path):
    train(tiny_config("training.max_steps=2"), SingleProcess(), tmp_path / "run")
    noted = Noted()
    train(tiny_config(), SingleProcess(), tmp_path / "run", resume=True, callbacks=[noted])
    assert noted.told[:2] == [("start", 2), ("step", 3)]
    assert noted.told[-2:] == [("evaluate", 6, "loss"), ("end", 6, "done")]


def test_a_run_that_is_interrupted_or_fails_is_told_so(tmp_path):
    class Stops(Noted):
        def on_step_end(self, trainer, report):
            if report.step == 2:
                trainer.model.request_stop()

    stops = Stops()
    with pytest.raises(Exception, match="interrupted after step 3"):
        train(tiny_config(), SingleProcess(), tmp_path / "stopped", callbacks=[stops])
    assert stops.told == [("start", 0), ("end", 3, "interrupted")]
    noted = Noted()
    document = tiny_document() | {"optimizer": {"name": "sgd", "lr": 1e30}}
    with pytest.raises(TrainingError, match="is not finite"):
        train(parse_config(document), SingleProcess(), tmp_path / "bad", callbacks=[noted])
    assert noted.told == [("start", 0), ("step", 1), ("end", 1, "failed")]


def test_what_does_nothing_changes_nothing():
    plain, watched = (Trainer(tiny_config(), SingleProcess(), c) for c in ([], [Callback()]))
    for trainer in (plain, watched):
        assert len(list(trainer.steps())) == 6
    assert weights_sha256(plain.model.module) == weights_sha256(watched.model.module)


def test_a_callback_ends_a_run_which_is_done_then(parts):
    config = parse_config(with_callback("Enough", rank=0, step=4))
    summary = train(config, SingleProcess(), parts / "run")
    assert (summary.status, summary.steps, list(summary.metrics)) == ("done", 4, ["loss"])
    again = train(config, SingleProcess(), parts / "run", resume=True)
    assert again == summary


@pytest.mark.parametrize(
    ("event", "step", "told"),
    [
        ("on_start", 0, "at step 0, in on_start of"),
        ("on_step_end", 2, "at step 2, in on_step_end of"),
        ("on_evaluate", 3, "at step 3, in on_evaluate of"),
        ("on_end", 6, "at step 6, in on_end of"),
    ],
)
def test_a_callback_that_fails_is_named_with_its_step(parts, event, step, told):
    every = "training.evaluate_every_epochs=1"
    config = parse_config(with_callback("Fails", every, step=step, event=event))
    with pytest.raises(RankError) as raised:
        train(config, SingleProcess(), parts / "run")
    assert f"{told} the callback own_callbacks:Fails: ZeroDivisionError(" in str(raised.value)
    summary = json.loads((parts / "run" / "summary.json").read_text())
    assert summary["status"] == "failed"
    assert told in summary["error"]


def test_what_is_no_callback(parts):
    with pytest.raises(UsageError) as raised:
        Trainer(parse_config(with_callback("no_callback")), SingleProcess())
    assert str(raised.value).startswith(
        "callback own_callbacks:no_callback: must be a distgrad.training.Callback, got <built-in"
    )
    with pytest.raises(UsageError, match="callback int: must be a distgrad"):
        Trainer(tiny_config(), SingleProcess(), [3])


def test_evaluations_that_callbacks_see_do_not_change_in_a_resumed_run(parts, capsys):
    every = "training.evaluate_every_steps=2"
    (parts / "own.toml").write_text(dumps(with_callback("Halving", every, "training.max_steps=4")))
    command = ["train", "own.toml", "--run-dir", "run"]
    assert main(command) == 0
    changed = ["--resume", "--set", "training.evaluate_every_steps=3"]
    assert main([*command, *changed, "--set", "training.max_steps=6"]) == 2
    assert "training.evaluate_every_steps = 3, and was 2" in capsys.readouterr().err
    assert main([*command, "--resume", "--set", "training.max_steps=6"]) == 0


def test_a_replay_calls_them_with_the_evaluations(parts, capsys):
    document = with_callback("Halving", "training.evaluate_every_steps=2")
    (parts / "own.toml").write_text(dumps(document))
    assert main(["train", "own.toml", "--run-dir", "run"]) == 0
    capsys.readouterr()
    assert main(["replay", "run", "--step", "5"]) == 0, capsys.readouterr()
    document["training"]["callbacks"] = [
        {"name": "own_callbacks:Enough", "rank": 0, "step": 4},
        {"name": "own_callbacks:Halving"},
    ]
    (parts / "two.toml").write_text(dumps(document))
    assert main(["train", "two.toml", "--run-dir", "two"]) == 0
    assert main(["replay", "two", "--step", "4"]) == 0, capsys.readouterr()


# On ranks


@pytest.mark.parametrize(("ranks", "rank"), [(2, 1), (3, 0)])
def test_one_rank_that_fails_ends_all(parts, ranks, rank):
    (parts / "own.toml").write_text(dumps(with_callback("Fails", rank=rank)))
    failed = mpirun(ranks, ["python", "-m", "distgrad", "train", "own.toml", "--run-dir", "run"])
    assert failed.returncode == 3, failed.stderr
    told = " failed at step 2, in on_step_end of the callback own_callbacks:Fails: ZeroDiv"
    assert failed.stderr.count(told) == 1
    assert f"error: rank {rank} of {ranks} on " in failed.stderr


def test_one_rank_that_has_enough_ends_all_at_the_same_step(parts):
    document = with_callback("Enough", rank=1, step=4)
    document["training"]["callbacks"].append({"name": "own_callbacks:Halving"})
    document["training"]["evaluate_every_steps"] = 2
    (parts / "own.toml").write_text(dumps(document))
    found = []
    for ranks in (2, 3):
        run = parts / f"on{ranks}"
        done = mpirun(ranks, ["python", "-m", "distgrad", "train", "own.toml", "--run-dir", run])
        assert done.returncode == 0, done.stderr
        summary = json.loads((run / "summary.json").read_text())
        found.append([summary[key] for key in ("status", "steps", "weights_sha256", "metrics")])
    assert found[0] == found[1]
    assert found[0][:2] == ["done", 4]
