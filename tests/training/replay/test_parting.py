"""`distgrad replay --against`: where two runs part, and in what."""

import contextlib
import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.configs import tiny_document
from helpers.mpi import mpirun, mpirun_path
from helpers.replaying import change_json, change_row, copied, flip_bit, rows, write_rows
from helpers.resuming import variant

from distgrad.backend.kernels import kernels_in_use, use_kernels
from distgrad.cli import main
from distgrad.distributed import SingleProcess
from distgrad.errors import TrainingError
from distgrad.training import parse_config
from distgrad.training.replay import find_parting
from distgrad.training.replay.player import Player
from distgrad.training.replay.recording import Recording
from distgrad.training.replay.step import warnings_of
from distgrad.training.run import train

EVERY_2 = ("checkpoint.every_steps=2", "checkpoint.keep_last=100")

TESTS = str(Path(__file__).parents[2])


def trained(path, *assignments, fault=None, **source):
    """A run of 6 steps, 3 an epoch; of points where a source is given."""
    document = tiny_document(*EVERY_2, *assignments)
    if fault:
        document["model"] = {"name": "helpers.replaying:Faulty", **fault}
    if source:
        document["data"]["source"] = {"name": "helpers.replaying:points", **source}
    with contextlib.suppress(TrainingError):
        train(parse_config(document), SingleProcess(), path)
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture
def other(tmp_path):
    return tmp_path / "other"


def parted(a, b):
    return find_parting(a, b, SingleProcess())


def compared(capsys, a, b, status=3):
    capsys.readouterr()  # of the runs
    assert main(["replay", str(a), "--against", str(b)]) == status
    printed = capsys.readouterr()
    assert printed.out.splitlines()[:2] == [f"A {a}", f"B {b}"]
    return printed.out.splitlines()[2:]


# Runs that do not part


def test_a_run_and_its_copy(tiny, other, capsys):
    lines = compared(capsys, tiny, copied(tiny, other), status=0)
    assert lines == ["the runs are alike, bit for bit, up to step 6"]


def test_what_does_not_change_the_bits(tiny, other, capsys):
    trained(
        other,
        "distributed.reduction=sharded",
        "training.evaluate_every_steps=1",
        "training.max_epochs=3",
        "training.clip_grad_norm=1e9",
        "checkpoint.every_steps=4",
    )
    assert compared(capsys, tiny, other, status=0) == [
        "the runs are alike, bit for bit, up to step 6",
        "A and B differ in:",
        "  training.max_epochs: 2 / 3",
        '  distributed.reduction: "tree" / "sharded"',
        "  checkpoint.every_steps: 2 / 4",
        "  training.evaluate_every_steps: not given / 1",
        "  training.clip_grad_norm: not given / 1000000000.0",
    ]


def test_what_was_measured_in_one_of_them_only_is_not_compared(tiny, other):
    shutil.rmtree(copied(tiny, other) / "checkpoints")
    found = parted(tiny, other)
    assert (found.step, found.start, found.last) == (None, 0, 6)


# Runs that do


def test_the_seed(tiny, other, capsys):
    trained(other, "training.seed=1")
    assert compared(capsys, tiny, other) == [
        "the runs part before step 1: 0.weight (and 3 more) differs at the beginning",
        "A and B differ in:",
        "  training.seed: 0 / 1",
    ]


def test_the_model(tiny, other):
    found = parted(tiny, trained(other, "model.sizes=[1, 9, 1]"))
    assert (found.step, found.cause.kind, found.cause.parameter) == (0, "beginning", "0.weight")


def test_the_learning_rate(tiny, other, capsys):
    trained(other, "optimizer.lr=0.02")
    assert compared(capsys, tiny, other) == [
        "the runs part at step 1 (made again from the beginning), in the update, by the same "
        "gradient:",
        "  0.weight (and 3 more) differs; learning rate 0.01 / 0.02",
        "A and B differ in:",
        "  optimizer.lr: 0.01 / 0.02",
    ]


@pytest.mark.skipif(find_spec("numba") is None, reason="needs numba")
def test_the_kernels(tmp_path):
    comm = SingleProcess()
    players = {}
    for kernels in ("numpy", "numba"):
        path = trained(tmp_path / kernels, f"run.kernels={kernels}")
        players[kernels] = Player(Recording.read(path, comm), comm, 1)
    for _ in range(2):
        for kernels, player in players.items():
            player.make()
            assert kernels_in_use().startswith(kernels)
    for player in players.values():
        assert warnings_of(player, 3) == []
    use_kernels("numpy")


@pytest.mark.parametrize("every", [1, 2, 4, 6])
def test_a_schedule_that_changes_later(tmp_path, every):
    """Found from whatever checkpoints there are, in the step before which they are alike."""
    a, b = (
        trained(
            tmp_path / name,
            f"checkpoint.every_steps={every}",
            "scheduler.name=step",
            f"scheduler.step_size={step}",
            "scheduler.gamma=0.5",
        )
        for name, step in (("a", 3), ("b", 4))
    )
    found = parted(a, b)
    assert (found.step, found.start) == (4, 3 // every * every)
    assert found.cause.kind == "update"
    assert found.cause.values == (0.005, 0.01)
    assert found.disturbed == {}


def test_the_optimizer(tiny, other):
    found = parted(tiny, trained(other, "optimizer.name=adagrad"))
    assert (found.step, found.cause.kind) == (1, "update")


def test_momentum_shows_in_the_second_step(tmp_path):
    a, b = (
        trained(tmp_path / str(beta), "optimizer.name=sgd", f"optimizer.momentum={beta}")
        for beta in (0.0, 0.9)
    )
    found = parted(a, b)
    assert (found.step, found.cause.kind) == (2, "update")


def test_clipping(other, tmp_path):
    a = trained(tmp_path / "a", "training.clip_grad_norm=0.5", "training.max_steps=3")
    found = parted(a, trained(other, "training.max_steps=3"))
    assert found.cause.kind == "update"
    assert all(row["grad_norm"] < 0.5 for row in rows(a)[: found.step - 1])
    assert rows(a)[found.step - 1]["grad_norm"] > 0.5


def test_dropout(tiny, other, capsys):
    trained(other, "model.dropout=0.2")
    lines = compared(capsys, tiny, other)
    assert lines[0].endswith("in the loss of the same samples:")
    assert lines[1].startswith("  micro-batch 0 (of 4, numbered from 0): sum of the loss ")
    assert lines[2:] == [
        "  so the gradient of 0.weight (and 3 more) differs",
        "A and B differ in:",
        "  model.dropout: 0.1 / 0.2",
    ]


@pytest.mark.parametrize("index", [0, 17, 69])
def test_one_sample(tmp_path, index, capsys):
    a = trained(tmp_path / "a", changed=-1)
    b = trained(tmp_path / "b", changed=index)
    found = parted(a, b)
    order = [list(window) for window in _windows(a)]
    step, place = next((s, w.index(index)) for s, w in enumerate(order, start=1) if index in w)
    assert (found.step, found.cause.kind, found.cause.parts) == (step, "data", ("y",))
    assert (found.cause.micro_batch, found.start) == (place // 8, (step - 1) // 2 * 2)
    lines = compared(capsys, a, b)
    assert lines[0].endswith("in the samples:")
    assert f"  micro-batch {place // 8} (of " in lines[1]
    assert "): y differs; sum of the loss " in lines[1]
    assert lines[-2:] == ["A and B differ in:", f"  data.source.changed: -1 / {index}"]


def _windows(run):
    from distgrad.data import GlobalBatches
    from distgrad.training import load_config

    config = load_config(run / "config.toml")
    windows = GlobalBatches(range(70), 28, 8, seed=config.training.seed)
    return [window.indices.tolist() for window in windows]


@pytest.mark.parametrize("changed", ["micro_batch_size=7", "global_batch_size=30"])
def test_the_cut(tiny, other, capsys, changed):
    trained(other, f"data.{changed}")
    lines = compared(capsys, tiny, other)
    assert lines[0].endswith("in the cut of the global batch:") or changed.startswith("micro")
    assert any(line.startswith(f"  data.{changed.partition('=')[0]}: ") for line in lines)
    if changed.startswith("global"):
        assert lines[1] == (
            "  28 samples in 4 micro-batches / 30 in 4; the result depends on "
            "data.global_batch_size and data.micro_batch_size"
        )


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("half", "loss"), ("double backward", "gradient"), ("nan", "loss"), ("steep", "gradient")],
)
@pytest.mark.parametrize(("step", "micro_batch"), [(1, 0), (4, 2), (5, 3), (6, 1)])
def test_the_model_in_one_micro_batch(tmp_path, fault, kind, step, micro_batch):
    where = {"step": step, "micro_batch": micro_batch}
    a = trained(tmp_path / "a", fault={"fault": "half", "step": 99})
    b = trained(tmp_path / "b", fault={"fault": fault, **where})
    found = parted(a, b)
    assert (found.step, found.cause.kind, found.cause.micro_batch) == (step, kind, micro_batch)
    assert found.disturbed == {}
    if kind == "gradient":
        assert found.cause.parameter == "first.weight"
        assert found.cause.others == 1  # the bias beside it


def test_a_run_that_failed_there(tmp_path, capsys):
    a = trained(tmp_path / "a", fault={"fault": "half", "step": 99})
    b = trained(tmp_path / "b", fault={"fault": "raise"})
    lines = compared(capsys, a, b)
    assert lines[0].endswith("in how it failed:")
    assert lines[1].startswith("  it did not fail / rank 0 of 1 on ")
    assert lines[1].endswith("failed at step 4, micro-batch 2: RuntimeError('the model broke')")


def test_two_runs_that_fail_alike(tmp_path, capsys):
    a = trained(tmp_path / "a", fault={"fault": "nan"})
    lines = compared(capsys, a, copied(a, tmp_path / "b"), status=0)
    assert lines == ["the runs are alike, bit for bit, up to step 4"]


def test_json(tiny, other, capsys):
    trained(other, "optimizer.lr=0.02")
    capsys.readouterr()
    assert main(["replay", str(tiny), "--against", str(other), "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["step"], told["cause"]["kind"]) == (1, "update")
    assert told["settings"] == {"optimizer.lr": [0.01, 0.02]}


# Runs whose record parts, and whose steps do not


@pytest.mark.parametrize(("name", "step"), [("loss", 1), ("loss", 5), ("lr", 4)])
def test_a_bit_in_a_row(tiny, other, capsys, name, step):
    change_row(copied(tiny, other), step, name)
    lines = compared(capsys, tiny, other)
    was, now = rows(tiny)[step - 1][name], rows(other)[step - 1][name]
    shown = {"loss": "loss", "lr": "learning rate"}[name]
    start = (step - 1) // 2 * 2
    begun = f"from the checkpoint of step {start}" if start else "from the beginning"
    assert lines == [
        f"B does not come out again as recorded at step {step}: {shown} {was}, recorded {now}",
        f"made again {begun}, the runs do not part there: the machine, its software or the code "
        "was not what it is now, or something disturbed B",
    ]
    assert compared(capsys, other, tiny)[0].startswith("A does not come out again as recorded at")


@pytest.mark.parametrize("step", [2, 4, 6])
@pytest.mark.parametrize(
    ("group", "name"), [("model", "3.weight"), ("optimizer", "optimizer.state.1.exp_avg_sq")]
)
def test_a_bit_in_a_checkpoint(tiny, other, capsys, step, group, name):
    flip_bit(copied(tiny, other), step, group, name)
    lines = compared(capsys, tiny, other)
    assert lines[0] == (
        f"B does not come out again as recorded at step {step}: {name} differs from the checkpoint"
    )
    assert lines[1].startswith(f"made again from the {'checkpoint' if step > 2 else 'beginning'}")


def test_all_that_follows_a_disturbance_is_other_too(tmp_path, capsys):
    """The run went on with the flipped bit: the first step after it is found."""
    a = trained(tmp_path / "a", fault={"fault": "half", "step": 99})
    b = trained(tmp_path / "b", fault={"fault": "half"})
    text = (b / "config.toml").read_text()
    (b / "config.toml").write_text(text.replace("step = 4", "step = 99"))
    lines = compared(capsys, a, b)
    assert lines[0].startswith("B does not come out again as recorded at step 4: loss ")
    assert "3" not in lines[0].partition(":")[0]


def test_a_damaged_checkpoint_is_left_out(tiny, other):
    path = copied(tiny, other) / "checkpoints" / "step-4" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    change_row(other, 6, "loss")
    found = parted(tiny, other)
    assert (found.step, found.start, list(found.disturbed)) == (6, 2, ["B"])


def test_environments_that_differ_are_told(tiny, other, capsys):
    copied(tiny, other)
    change_json(other / "environment.json", numpy="1.0", hosts=["a", "b"])
    lines = compared(capsys, tiny, other, status=0)
    assert lines[-1] == "  ranks: 1 / 2"
    assert lines[-2].startswith("  NumPy: ")
    assert lines[-2].endswith(' / "1.0"')


def test_a_run_without_a_step(tiny, other, capsys):
    write_rows(copied(tiny, other), [])
    capsys.readouterr()
    assert main(["replay", str(tiny), "--against", str(other)]) == 2
    assert capsys.readouterr().err == (
        f"error: {tiny} and {other} have no step in common: one of them has made none yet\n"
    )


# Several ranks


@pytest.mark.skipif(mpirun_path() is None, reason="needs an mpirun")
def test_on_several_ranks(tmp_path, capsys):
    runs = [tmp_path / "a", tmp_path / "b"]
    for path, rate in zip(runs, (0.2, 0.3), strict=True):
        train(variant("cnn", *EVERY_2, f"model.dropout={rate}"), SingleProcess(), path)
    lines = compared(capsys, *runs)
    done = mpirun(
        3,
        ["python", "-m", "distgrad", "replay", runs[0], "--against", runs[1]],
        env={"PYTHONPATH": TESTS},
    )
    assert done.returncode == 3
    assert done.stdout.splitlines()[2:] == lines
