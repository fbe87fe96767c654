"""`distgrad train --resume`: what stops a run, from where it goes on, and whether it may."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import striking
from helpers.configs import tiny_document
from helpers.mounts import small_disk

from distgrad.cli import main
from distgrad.distributed import SingleProcess
from distgrad.training import parse_config, run_lock
from distgrad.training.checkpoint import CheckpointStore
from distgrad.training.config import TrainingConfig
from distgrad.training.resume import _EVALUATIONS, _FREE_KEYS
from distgrad.training.run import train
from distgrad.training.run_folder import RunFolder
from distgrad.training.toml import dumps

SAME = ("status", "steps", "epochs", "final_loss", "metrics", "weights_sha256", "data_sha256")

EVERY_STEP = ["checkpoint.every_steps=1", "checkpoint.keep_last=9"]

COMPONENTS = """
import distgrad as dg
from distgrad.data import Split
import numpy as np


class Pairs:
    # No arrays in memory: nothing to hash.
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        x = np.float32([index / self.n])
        return x, x * x


def pairs(n: int = 60):
    import os
    return Split(Pairs(n + int(os.environ.get("MORE", 0))), Pairs(10))


class Forgetful:
    # An optimizer without a state to save.
    def __init__(self, params, lr: float = 0.1):
        self.inner = dg.optim.SGD(params, lr)
        self.param_groups = self.inner.param_groups
        self.step = self.inner.step


class WithRule(dg.optim.SGD):
    def state_dict(self):
        return {**super().state_dict(), "rule": abs}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a configuration and components of the user's own."""
    document = tiny_document()
    document["training"]["loss"] = "helpers.striking:mse"
    (tmp_path / "tiny.toml").write_text(dumps(document))
    (tmp_path / "own_resume_parts.py").write_text(COMPONENTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("own_resume_parts", None)


@pytest.fixture
def strike(monkeypatch):
    """Sets when the run sends itself a signal; without arguments, never again."""

    def set_moment(moment=None):
        striking.reset()
        if moment is None:
            monkeypatch.delenv("STRIKE", raising=False)
        else:
            monkeypatch.setenv("STRIKE", moment)

    set_moment()
    return set_moment


def command(*changes, resume=True, name="tiny"):
    words = [word for change in changes for word in ("--set", change)]
    run_dir = ["--run-dir", f"runs/{name}"]
    return ["train", "tiny.toml", *run_dir, *(["--resume"] if resume else []), *words]


def read(path, name="summary.json"):
    return json.loads((path / name).read_text())


def rows(path):
    """The metrics, but for the times."""
    lines = (path / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def journal(path):
    return [json.loads(line) for line in (path / "journal.jsonl").read_text().splitlines()]


def steps_kept(path):
    return CheckpointStore(path / "checkpoints").steps()


def result(path):
    return [read(path)[key] for key in SAME], rows(path)


def undisturbed(*changes):
    """The result of a run that nothing has stopped."""
    assert main(command(*changes, resume=False, name="undisturbed")) == 0
    path = Path("runs/undisturbed")
    found = result(path)
    shutil.rmtree(path)
    return found


def files(path):
    """The content of every file of a folder."""
    return {p: p.read_bytes() for p in path.rglob("*") if p.is_file() and p.name != ".lock"}


def refused(argv, capsys):
    assert main(argv) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.removeprefix("error: ").removesuffix("\n")


@pytest.fixture
def run(folder, strike):
    """A run that was stopped after step 4 of 6; a checkpoint of every step is there."""
    strike("SIGUSR1 train 4 0")
    assert main(command(*EVERY_STEP, resume=False)) == 130
    strike()
    return folder / "runs" / "tiny"


# What stops a run


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGINT", "SIGTERM"])
def test_a_signal_ends_the_run_after_the_step_with_a_checkpoint(folder, strike, capfd, name):
    expected = undisturbed()
    strike(f"{name} train 4 0")
    capfd.readouterr()
    assert main(command(resume=False)) == 130
    said = capfd.readouterr().err.splitlines()[-1]
    assert said == ("interrupted after step 4, of which there is a checkpoint; go on with --resume")
    path = folder / "runs" / "tiny"
    summary = read(path)
    assert (summary["status"], summary["error"], summary["steps"]) == ("interrupted", None, 4)
    assert (summary["metrics"], summary["epochs"]) == ({}, 1)
    assert steps_kept(path) == [4]
    assert [row["step"] for row in rows(path)] == [1, 2, 3, 4]
    assert not (path / "weights.safetensors").exists()

    strike()
    assert main(command()) == 0
    assert "goes on from step 4 of runs/tiny\n" in capfd.readouterr().out
    assert result(path) == expected
    assert read(path)["restarts"] == 1
    assert [(e["event"], e["step"]) for e in journal(path)] == [
        ("launch", 0),
        ("stop", 4),
        ("resume", 4),
        ("stop", 6),
    ]


def test_a_second_interrupt_ends_it_at_once_with_the_checkpoint_before(folder, strike):
    expected = undisturbed()
    strike("SIGINT+SIGINT train 4 0")
    assert main(command("checkpoint.every_steps=2", resume=False)) == 130
    path = folder / "runs" / "tiny"
    assert not (path / "summary.json").exists()
    assert len(rows(path)) == 3
    strike()
    assert main(command()) == 0
    assert result(path) == expected


def test_a_stop_in_an_evaluation_leaves_it_to_the_resumed_run(folder, strike):
    every = ["training.evaluate_every_steps=2", "data.micro_batch_size=4"]
    expected = undisturbed(*every)
    strike("SIGTERM evaluate 9 0")  # the third of the 6 batches of the second evaluation
    assert main(command(*every, resume=False)) == 130
    path = folder / "runs" / "tiny"
    assert [("test_loss" in row) for row in rows(path)] == [False, True, False, False]
    assert read(path)["steps"] == 4
    strike()
    assert main(command(*every)) == 0
    assert result(path) == expected


def test_a_stop_in_the_evaluation_at_the_end(folder, strike):
    expected = undisturbed()
    strike("SIGTERM evaluate 1 0")
    assert main(command(resume=False)) == 130
    path = folder / "runs" / "tiny"
    assert (read(path)["status"], read(path)["steps"]) == ("interrupted", 6)
    strike("SIGTERM evaluate 2 0")  # again
    assert main(command()) == 130
    strike()
    assert main(command()) == 0
    assert result(path) == expected
    assert read(path)["restarts"] == 2


def test_it_can_be_stopped_after_each_step(folder, strike):
    expected = undisturbed()
    path = folder / "runs" / "tiny"
    for step in range(1, 6):
        strike(f"SIGINT train {step} 0")
        assert main(command()) == 130
        assert read(path)["steps"] == step
    strike()
    assert main(command()) == 0
    assert result(path) == expected
    assert read(path)["restarts"] == 5


# Which checkpoints there are


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ([], [6]),
        (["checkpoint.every_steps=4"], [4, 6]),
        (["checkpoint.every_steps=1"], [4, 5, 6]),
        (["checkpoint.every_steps=1", "checkpoint.keep_last=1"], [6]),
        (["checkpoint.every_steps=2", "training.max_steps=5"], [2, 4, 5]),
    ],
)
def test_the_last_ones_stay(folder, changes, steps):
    assert main(command("checkpoint.keep_best=false", *changes, resume=False)) == 0
    assert steps_kept(folder / "runs" / "tiny") == steps


RISES = [  # the test loss, because the learning rate is far too large
    "model.dropout=0",
    "training.max_steps=5",
    "training.evaluate_every_steps=1",
    "checkpoint.keep_last=1",
]


@pytest.mark.parametrize("keep", [True, False])
def test_the_best_one_stays(folder, keep):
    document = tiny_document(*RISES, f"checkpoint.keep_best={str(keep).lower()}")
    document["optimizer"] = {"name": "sgd", "lr": 0.6}
    path = folder / "best"
    train(parse_config(document), SingleProcess(), path)
    losses = {row["step"]: row["test_loss"] for row in rows(path)}
    best = min(losses, key=losses.get)
    assert best < 5
    assert steps_kept(path) == ([best, 5] if keep else [5])


def test_the_best_one_is_remembered(folder):
    document = tiny_document(*RISES, "training.max_epochs=9")
    document["optimizer"] = {"name": "sgd", "lr": 0.6}
    path = folder / "best"
    train(parse_config(document), SingleProcess(), path)
    before = steps_kept(path)
    document["training"]["max_steps"] = 7
    train(parse_config(document), SingleProcess(), path, resume=True)
    losses = {row["step"]: row["test_loss"] for row in rows(path)}
    assert steps_kept(path) == sorted({min(losses, key=losses.get), 7})
    assert before[0] == steps_kept(path)[0]


# From where it goes on


def test_without_a_run_it_begins(folder, capsys):
    expected = undisturbed()
    assert main(command()) == 0
    assert "runs/tiny has no checkpoint yet: the run begins anew\n" in capsys.readouterr().out
    path = folder / "runs" / "tiny"
    assert result(path) == expected
    assert read(path)["restarts"] == 0


def test_without_a_checkpoint_it_begins_anew_in_the_same_folder(folder, strike, capsys):
    expected = undisturbed()
    strike("SIGINT+SIGINT train 3 0")
    assert main(command(resume=False)) == 130
    path = folder / "runs" / "tiny"
    assert len(rows(path)) == 2
    assert not (path / "checkpoints").exists()
    strike()
    capsys.readouterr()
    assert main(command()) == 0
    assert "runs/tiny has no checkpoint yet: the run begins anew\n" in capsys.readouterr().out
    assert result(path) == expected
    assert read(path)["restarts"] == 1


def test_rows_behind_the_checkpoint_are_made_anew(run):
    expected = undisturbed()
    shutil.rmtree(run / "checkpoints" / "step-4")
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "loss": 1e9}\n{"step": 6, "lo')
    assert main(command()) == 0
    assert result(run) == expected


def test_a_damaged_checkpoint_is_skipped_and_named(run, capsys):
    expected = undisturbed()
    damaged = run / "checkpoints" / "step-4" / "model.safetensors"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    (run / "checkpoints" / "step-3" / "manifest.json").unlink()
    capsys.readouterr()
    assert main(command()) == 0
    printed = capsys.readouterr()
    first, second = printed.err.splitlines()
    where = "warning: skipped a checkpoint that is not whole: runs/tiny/checkpoints"
    assert first.startswith(f"{where}/step-4: model.safetensors is damaged")
    assert second.startswith(f"{where}/step-3: it has no manifest.json")
    assert "goes on from step 2 of runs/tiny\n" in printed.out
    assert result(run) == expected
    assert len(journal(run)[2]["skipped"]) == 2


def test_if_no_checkpoint_can_be_used_it_does_not_begin_anew(run, capsys):
    for step in steps_kept(run):
        (run / "checkpoints" / f"step-{step}" / "state.json").unlink()
    before = files(run)
    capsys.readouterr()
    said = refused(command(), capsys).splitlines()
    assert said[0] == (
        "no checkpoint in runs/tiny/checkpoints can be used; bring one back, or begin anew in "
        "another folder with --run-dir"
    )
    assert [line.split(":")[0] for line in said[1:]] == [
        f"  runs/tiny/checkpoints/step-{step}" for step in (4, 3, 2, 1)
    ]
    assert files(run) == before


# A run that is done


def test_a_run_that_is_done_is_left_as_it_is(folder, capsys):
    main(command(resume=False))
    path = folder / "runs" / "tiny"
    before = files(path)
    last = capsys.readouterr().out.splitlines()[-3:]
    assert main(command()) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == (
        "the run is done after 6 steps, and nothing is left to do; to go on, raise what ends it, "
        "such as training.max_epochs"
    )
    assert printed[1:] == last
    assert files(path) == before


def test_a_run_that_is_done_returns_its_summary(tmp_path):
    config = parse_config(tiny_document())
    first = train(config, SingleProcess(), tmp_path / "run")
    again = train(config, SingleProcess(), tmp_path / "run", resume=True)
    assert again == first


@pytest.mark.parametrize("change", ["training.max_epochs=4", "training.max_epochs=3"])
def test_a_run_goes_on_if_its_end_is_moved(folder, change):
    expected = undisturbed(change)
    main(command(resume=False))
    assert main(command(change)) == 0
    path = folder / "runs" / "tiny"
    assert result(path) == expected
    assert f"max_epochs = {change[-1]}" in (path / "config.toml").read_text()
    changed = journal(path)[2]["changed"]
    assert changed == {"training.max_epochs": [2, int(change[-1])]}


def test_an_end_that_was_moved_to_before_the_checkpoint_is_reached(run):
    assert main(command("training.max_steps=3")) == 0
    assert (read(run)["status"], read(run)["steps"]) == ("done", 4)


def test_a_run_that_was_ended_between_its_last_step_and_its_summary(folder):
    expected = undisturbed()
    main(command(resume=False))
    path = folder / "runs" / "tiny"
    (path / "summary.json").unlink()
    (path / "weights.safetensors").unlink()
    assert main(command()) == 0
    assert result(path) == expected


def test_a_summary_of_another_version_is_written_anew(folder):
    expected = undisturbed()
    main(command(resume=False))
    path = folder / "runs" / "tiny"
    (path / "summary.json").write_text(json.dumps(read(path) | {"colour": "blue"}))
    assert main(command()) == 0
    assert result(path) == expected


# Whether it is the same run


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (["optimizer.lr=0.02"], ["optimizer.lr = 0.02, and was 0.01: --set 'optimizer.lr=0.01'"]),
        (["training.seed=1"], ["training.seed = 1, and was 0: --set 'training.seed=0'"]),
        (
            ["data.global_batch_size=24", "model.dropout=0.0"],
            [
                "model.dropout = 0.0, and was 0.1: --set 'model.dropout=0.1'",
                "data.global_batch_size = 24, and was 28: --set 'data.global_batch_size=28'",
            ],
        ),
        (
            ["training.clip_grad_norm=1.0"],
            ["training.clip_grad_norm = 1.0 was not given; take it out"],
        ),
        (
            ["training.clip_grad_value=1.0", "training.ema={}"],
            [
                "training.clip_grad_value = 1.0 was not given; take it out",
                "training.ema.decay = 0.999 was not given; take it out",
            ],
        ),
        (
            ["optimizer.groups=[{parameters = '*', lr = 0.1}]"],
            [
                'optimizer.groups = [{ parameters = "*", lr = 0.1 }], and was []: '
                "--set 'optimizer.groups=[]'"
            ],
        ),
        (
            ["distributed.reduction=allreduce"],
            [
                'distributed.reduction = "allreduce", and was "tree": '
                "--set 'distributed.reduction=\"tree\"'"
            ],
        ),
        (
            ["scheduler.name=step", "scheduler.step_size=2"],
            [
                'scheduler.name = "step" was not given; take it out',
                "scheduler.step_size = 2 was not given; take it out",
                "scheduler.gamma = 0.1 was not given; take it out",
                "scheduler.last_epoch = -1 was not given; take it out",
            ],
        ),
        (["data.source.samples=71"], ["data.source.samples = 71, and was 70: --set "]),
    ],
)
def test_what_would_change_the_result_is_refused(run, capsys, changes, lines):
    before = files(run)
    capsys.readouterr()
    first, *said = refused(command(*changes), capsys).splitlines()
    assert first == (
        "the run in runs/tiny cannot go on with another configuration, which would give another "
        "result; take the values back, or begin another run with --run-dir"
    )
    assert len(said) == len(lines)
    for line, expected in zip(said, lines, strict=True):
        assert line.startswith(f"  {expected}")
    assert files(run) == before


def test_a_key_that_is_left_out_is_refused_with_its_value(folder, strike, capsys):
    strike("SIGUSR1 train 2 0")
    main(command("training.clip_grad_norm=0.5", resume=False))
    strike()
    capsys.readouterr()
    said = refused(command(), capsys)
    assert said.splitlines()[1] == (
        "  training.clip_grad_norm is not given, and was 0.5: --set 'training.clip_grad_norm=0.5'"
    )


def test_a_schedule_that_ends_with_the_run_names_the_way_to_keep_it(folder, strike, capsys):
    warmup = ["scheduler.name=warmup_cosine", "scheduler.warmup_steps=2"]
    main(command(*warmup, resume=False))
    capsys.readouterr()
    longer = [*warmup, "training.max_epochs=3"]
    said = refused(command(*longer), capsys).splitlines()[1]
    assert said == "  scheduler.steps = 9, and was 6: --set 'scheduler.steps=6'"
    assert main(command(*longer, "scheduler.steps=6")) == 0


@pytest.mark.parametrize(
    "change",
    [
        "data.num_workers=2",
        "distributed.reduction=sharded",
        "checkpoint.every_steps=1",
        "checkpoint.keep_best=false",
        "training.max_steps=6",
        "training.patience=9",
        "training.target_loss=0.0",
        "run.name=other",
    ],
)
def test_what_does_not_change_the_result_may_change(run, change):
    expected = undisturbed()
    assert main(command(change)) == 0
    assert result(run) == expected


NEW_KEYS = ("device", "kernels", "precision", "capture", "transport")


def test_keys_that_did_not_exist_when_the_run_began_count_as_their_defaults(run, capsys):
    expected = undisturbed()
    path = run / "config.toml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(li for li in lines if li.partition(" = ")[0] not in NEW_KEYS))
    capsys.readouterr()
    said = refused(command("run.kernels=numpy"), capsys)
    assert said.splitlines()[1:] == ['  run.kernels = "numpy" was not given; take it out']
    assert main(command()) == 0
    assert result(run) == expected


def test_what_is_measured_may_change_if_nothing_is_made_of_it(run):
    assert main(command("training.metrics=['mae']", "training.evaluate_every_steps=3")) == 0
    assert list(read(run)["metrics"]) == ["loss", "mae"]
    assert [("test_mae" in row) for row in rows(run)] == [False] * 5 + [True]


def test_every_key_of_training_either_changes_the_result_or_does_not():
    """A new key belongs into one of these lists, after a thought on which."""
    free = {key.removeprefix("training.") for key in (*_FREE_KEYS, *_EVALUATIONS)}
    assert free & TrainingConfig.model_fields.keys() == {
        "capture",
        "max_steps",
        "max_epochs",
        "target_loss",
        "target_metric",
        "patience",
        "min_delta",
        "metrics",
        "evaluate_every_epochs",
        "evaluate_every_steps",
    }
    assert TrainingConfig.model_fields.keys() - free == {
        "loss",
        "precision",
        "seed",
        "monitor",  # another number would be compared with the best of this one
        "monitor_mode",
        "clip_grad_value",
        "clip_grad_norm",
        "on_nonfinite",
        "weight_decay_on",
        "ema",
        "callbacks",
    }


def test_the_data_must_be_the_same(folder, strike, capsys):
    def write(seed):
        x = np.random.default_rng(seed).random((60, 1), dtype=np.float32)
        np.savez(folder / "data.npz", x=x, y=x)

    write(0)
    document = tiny_document()
    document["training"]["loss"] = "helpers.striking:mse"
    document["data"]["source"] = {"name": "npz", "path": "data.npz", "test_fraction": 0.25}
    (folder / "tiny.toml").write_text(dumps(document))
    strike("SIGUSR1 train 2 0")
    assert main(command(resume=False)) == 130
    strike()
    write(1)
    before = files(folder / "runs")
    capsys.readouterr()
    said = refused(command(), capsys)
    assert said.startswith("the data has changed since the run in runs/tiny: sha256 ")
    assert said.endswith(
        "; bring the old data back (the built-in text is another for each version of Python), or "
        "begin another run with --run-dir"
    )
    assert files(folder / "runs") == before
    write(0)
    assert main(command()) == 0


def test_data_that_has_no_hash_must_have_the_same_length(folder, strike, capsys, monkeypatch):
    document = tiny_document()
    document["training"]["loss"] = "helpers.striking:mse"
    document["data"]["source"] = {"name": "own_resume_parts:pairs"}
    (folder / "tiny.toml").write_text(dumps(document))
    strike("SIGUSR1 train 2 0")
    assert main(command(resume=False)) == 130
    strike()
    monkeypatch.setenv("MORE", "3")
    capsys.readouterr()
    said = refused(command(), capsys)
    assert said.startswith(
        "the data has changed since the run in runs/tiny: samples 63, and was 60; bring"
    )


def change_environment(path, **changes):
    environment = read(path, "environment.json")
    (path / "environment.json").write_text(json.dumps(environment | changes))


def test_another_environment_is_named_with_the_promise_that_is_off(run, capsys):
    expected = undisturbed()
    now = read(run, "environment.json")
    change_environment(run, numpy="1.0", libc="glibc 2.0", platform="elsewhere", mpi="none")
    capsys.readouterr()
    assert main(command()) == 0
    assert capsys.readouterr().err == (
        f"warning: the environment is not that of the run before: libc {now['libc']}, was glibc "
        f"2.0; NumPy {now['numpy']}, was 1.0: the result can differ in its last bits from that of "
        "a run which was never interrupted\n"
    )
    assert result(run) == expected
    assert read(run, "environment.json") == now
    assert "NumPy" in journal(run)[2]["warnings"][0]


def test_an_environment_that_is_not_known(run, capsys):
    (run / "environment.json").write_text("{")
    capsys.readouterr()
    assert main(command()) == 0
    assert "not that of the run before: environment.json cannot be read: the" in (
        capsys.readouterr().err
    )


def test_without_a_promise_nothing_is_said_of_the_environment(folder, strike, capsys):
    allreduce = "distributed.reduction=allreduce"
    strike("SIGUSR1 train 4 0")
    main(command(allreduce, resume=False))
    strike()
    change_environment(folder / "runs" / "tiny", numpy="1.0")
    capsys.readouterr()
    assert main(command(allreduce)) == 0
    assert capsys.readouterr().err == ""


def test_a_configuration_that_cannot_be_read(run, capsys):
    (run / "config.toml").write_text("[model")
    capsys.readouterr()
    said = refused(command(), capsys)
    assert said.startswith("runs/tiny/config.toml: cannot be read (")
    assert said.endswith(
        "without it the run cannot be told from another: bring it back, or begin anew in another "
        "folder with --run-dir"
    )


def test_a_folder_of_something_else(folder, capsys):
    said = refused(["train", "tiny.toml", "--resume", "--run-dir", "."], capsys)
    assert said == (
        ". is not the folder of a run: it has no config.toml; give that of a run with --run-dir, "
        "or leave --resume out to begin one"
    )


def test_a_folder_that_is_in_use(run, capsys, monkeypatch):
    monkeypatch.setattr(run_lock, "PATIENCE", 0.1)
    folder = RunFolder(run, resume=True)
    capsys.readouterr()
    said = refused(command(), capsys)
    folder.close()
    assert said.startswith("the run folder runs/tiny is in use by process ")


def test_a_launch_passes_it_on(folder, capsys):
    pytest.importorskip("mpi4py")
    argv = ["launch", "-n", "2", "--dry-run", "tiny.toml", "--resume", "--set", "run.name=x"]
    if main(argv) != 0:
        pytest.skip("no mpirun")
    assert capsys.readouterr().out.endswith("train tiny.toml --resume --set run.name=x\n")


# What cannot be saved


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (
            "Forgetful",
            "the optimizer Forgetful has no state_dict() and load_state_dict(), so a checkpoint "
            "cannot hold it; derive it from distgrad's base class",
        ),
        (
            "WithRule",
            "optimizer.rule is of type builtin_function_or_method, which a checkpoint cannot "
            "hold; keep numbers, strings, arrays, and lists and dicts of them",
        ),
    ],
)
def test_an_optimizer_that_cannot_be_saved_is_refused(folder, capsys, optimizer, message):
    document = tiny_document()
    document["optimizer"] = {"name": f"own_resume_parts:{optimizer}"}
    (folder / "tiny.toml").write_text(dumps(document))
    assert refused(command(resume=False), capsys) == message
    assert not (folder / "runs").exists()


def test_a_checkpoint_that_cannot_be_written_fails_the_run_soon(folder, strike, capsys):
    path = folder / "runs" / "tiny"
    main(command(resume=False))  # done, to go on from
    capsys.readouterr()
    shutil.move(path / "checkpoints", folder / "elsewhere")
    (path / "checkpoints").symlink_to(folder / "nowhere")
    assert main(command("training.max_epochs=90", "checkpoint.every_steps=1")) == 3
    said = capsys.readouterr().err
    assert said.startswith("error: the checkpoint runs/tiny/checkpoints/step-")
    assert read(path)["status"] == "failed"
    assert read(path)["steps"] < 10


def test_a_full_disk_fails_the_run_and_costs_nothing_else(folder, capsys):
    expected = undisturbed("training.max_epochs=30")
    (folder / "runs").mkdir(exist_ok=True)
    changes = ["training.max_epochs=30", "checkpoint.every_steps=1", "checkpoint.keep_last=50"]
    with small_disk(folder / "runs", "400k"):
        capsys.readouterr()
        assert main(command(*changes, resume=False)) == 3
        assert "No space left on device" in capsys.readouterr().err
        path = folder / "runs" / "tiny"
        assert steps_kept(path)
        shutil.copytree(path, folder / "saved")
    shutil.copytree(folder / "saved", path)
    assert main(command(*changes)) == 0
    assert result(path) == expected
