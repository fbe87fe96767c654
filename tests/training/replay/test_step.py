"""`distgrad replay --step`: in this process, of runs that were on one rank or on several."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.configs import tiny_document
from helpers.halves import NEEDS_BFLOAT16, half
from helpers.mpi import mpirun, mpirun_path
from helpers.replaying import change_json, change_row, copied, flip_bit, rows, write_rows
from helpers.resuming import VARIANTS, variant

from distgrad.cli import main
from distgrad.distributed import SingleProcess
from distgrad.errors import TrainingError
from distgrad.training import parse_config
from distgrad.training.checkpoint import CheckpointStore
from distgrad.training.replay import replay_step
from distgrad.training.replay.observation import _is_finite
from distgrad.training.run import train
from distgrad.training.toml import dumps

TESTS = str(Path(__file__).parents[2])

EVERY_2 = ("checkpoint.every_steps=2", "checkpoint.keep_last=100")

SAME = "what was recorded came out again, bit for bit"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A run of 6 steps, 3 an epoch."""
    path = tmp_path_factory.mktemp("runs") / "tiny"
    train(
        parse_config(tiny_document(*EVERY_2, "training.clip_grad_norm=0.5")), SingleProcess(), path
    )
    return path


@pytest.fixture
def run(tiny, tmp_path):
    return copied(tiny, tmp_path / "run")


def faulty(path, fault, *assignments):
    """A run with a fault in micro-batch 2 of step 4, and how it failed."""
    document = tiny_document(*EVERY_2, *assignments)
    document["model"] = {"name": "helpers.replaying:Faulty", "fault": fault}
    try:
        train(parse_config(document), SingleProcess(), path)
    except TrainingError as error:
        return str(error)
    return None


def replayed(capsys, run, step, status=0):
    capsys.readouterr()  # of the run
    assert main(["replay", str(run), "--step", str(step)]) == status
    printed = capsys.readouterr()
    return printed.out.splitlines(), printed.err


def refused(argv, capsys):
    capsys.readouterr()  # of the run
    assert main(["replay", *map(str, argv)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.removeprefix("error: ").removesuffix("\n")


# Bit for bit


@pytest.mark.parametrize("name", VARIANTS)
def test_every_step_of_every_kind_of_run(name, tmp_path):
    train(variant(name, *EVERY_2), SingleProcess(), tmp_path / "run")
    kept = CheckpointStore(tmp_path / "run" / "checkpoints").steps()
    for row in rows(tmp_path / "run"):
        replay = replay_step(tmp_path / "run", row["step"], SingleProcess())
        assert replay.reproduced
        assert replay.outcome.row["loss"] == row["loss"]
        assert replay.arrays == ([] if row["step"] in kept else None)
        assert replay.start == max((s for s in kept if s < row["step"]), default=0)
        assert replay.warnings == []


def test_what_is_printed(tiny, capsys):
    lines, warnings = replayed(capsys, tiny, 4)
    row = rows(tiny)[3]
    assert lines[:4] == [
        f"step 4 of {tiny}, made again from the checkpoint of step 2 in one process",
        f"loss {row['loss']} (as recorded)",
        "learning rate 0.01 (as recorded)",
        f"gradient norm before clipping {row['grad_norm']} (as recorded)",
    ]
    assert lines[4] == "mean gradient over 28 samples, before clipping:"
    assert [line.split()[0] for line in lines[6:-2]] == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert lines[-2:] == ["after the step as in its checkpoint: bit for bit", SAME]
    assert warnings == ""


def test_the_gradients_make_up_the_norm_that_was_clipped(tiny):
    for row in rows(tiny):
        gradients = replay_step(tiny, row["step"], SingleProcess()).sight.gradients
        norm = math.hypot(*[gradient.norm for gradient in gradients])
        assert norm == pytest.approx(row["grad_norm"], rel=1e-9)
        assert all(0 < g.largest <= g.norm <= g.largest * g.size**0.5 for g in gradients)


def test_micro_batches_make_up_the_loss(tiny):
    sight = replay_step(tiny, 3, SingleProcess()).sight  # of 14 samples
    assert [seen.count for seen in sight.micro_batches] == [8, 6]
    assert math.fsum(seen.loss_sum for seen in sight.micro_batches) / 14 == rows(tiny)[2]["loss"]


def test_nothing_is_written(tiny, capsys):
    before = {path: path.stat().st_mtime_ns for path in tiny.rglob("*")}
    replayed(capsys, tiny, 5)
    assert {path: path.stat().st_mtime_ns for path in tiny.rglob("*")} == before


def test_without_a_checkpoint_it_begins_at_the_beginning(run, capsys):
    shutil.rmtree(run / "checkpoints")
    lines, _ = replayed(capsys, run, 6)
    assert lines[0] == f"step 6 of {run}, made again from the beginning in one process"
    assert lines[-1] == SAME


def test_a_run_that_was_killed(run, capsys):
    """It has no summary, a line cut short, and may have died in the step after its last."""
    (run / "summary.json").unlink()
    write_rows(run, rows(run)[:4])
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "loss": 0.')
    lines, _ = replayed(capsys, run, 5)
    assert lines[-1] == (
        "the run has recorded nothing of this step, so there is nothing to compare with"
    )
    assert refused([run, "--step", 6], capsys) == f"{run} has no step 6 yet: it has recorded 4"


def test_json(tiny, capsys):
    assert main(["replay", str(tiny), "--step", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outcome"]["row"]["loss"] == told["row"]["loss"] == rows(tiny)[1]["loss"]
    assert told["sight"]["gradients"][0]["name"] == "0.weight"
    assert told["arrays"] == []


# What is not as recorded


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("loss", "loss"),
        ("lr", "learning rate"),
        ("grad_norm", "gradient norm before clipping"),
    ],
)
def test_a_recorded_number_with_another_last_bit(run, capsys, name, shown):
    was = rows(run)[3][name]
    change_row(run, 4, name)
    lines, _ = replayed(capsys, run, 4, status=3)
    assert f"{shown} {was} (recorded: {rows(run)[3][name]})" in lines
    assert lines[-1].startswith("what was recorded did NOT come out again: ")


@pytest.mark.parametrize(
    ("group", "name"), [("model", "3.weight"), ("optimizer", "optimizer.state.2.exp_avg")]
)
def test_a_bit_in_the_checkpoint_of_the_step(run, capsys, group, name):
    flip_bit(run, 4, group, name)
    lines, _ = replayed(capsys, run, 4, status=3)
    assert f"after the step as in its checkpoint: NO: {name} differs" in lines
    assert "(as recorded)" in lines[1]


def test_a_bit_in_the_checkpoint_that_it_begins_from(run, capsys):
    flip_bit(run, 4, "model", "3.weight")
    lines, _ = replayed(capsys, run, 5, status=3)
    assert any("(recorded: " in line for line in lines)


def test_a_damaged_checkpoint_is_left_out(run, capsys):
    path = run / "checkpoints" / "step-4" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    lines, warnings = replayed(capsys, run, 5)
    assert "from the checkpoint of step 2" in lines[0]
    assert lines[-1] == SAME
    assert warnings == (
        f"warning: skipped a checkpoint that is not whole: {path.parent}: model.safetensors was "
        "cut short: it has 439 bytes, and had 440\n"
    ).replace("439 bytes", f"{path.stat().st_size} bytes").replace(
        "had 440", f"had {path.stat().st_size + 1}"
    )
    lines, warnings = replayed(capsys, run, 4)
    assert lines[-1] == SAME
    assert f"warning: cannot be compared with: {path.parent}: model.safetensors was" in warnings


def test_another_environment(run, capsys):
    change_json(run / "environment.json", numpy="1.0", libc="musl")
    lines, warnings = replayed(capsys, run, 4)
    assert lines[-1] == SAME
    assert warnings.startswith(f"warning: the environment is not that of the run in {run}: libc ")
    assert ", was 1.0: that the bits are those of the run is not promised\n" in warnings
    (run / "environment.json").unlink()
    assert "environment.json cannot be read: that the bits" in replayed(capsys, run, 4)[1]


def test_a_run_that_went_on_in_another_environment(run, capsys):
    line = (
        "the environment is not that of the run before: NumPy 2.4, was 2.3: the result can differ"
    )
    entry = {"time": "", "event": "resume", "step": 4, "ranks": 1, "warnings": [line]}
    with (run / "journal.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")
    told = f"warning: the run in {run} went on from step 4 elsewhere: {line}\n"
    assert replayed(capsys, run, 4)[1] == told
    assert replayed(capsys, run, 5)[1] == ""


def test_allreduce_of_another_number_of_ranks(tmp_path, capsys):
    document = tiny_document("distributed.reduction=allreduce")
    train(parse_config(document), SingleProcess(), tmp_path / "run")
    assert replayed(capsys, tmp_path / "run", 4)[1] == ""
    change_json(tmp_path / "run" / "environment.json", hosts=["a", "a", "b"])
    lines, warnings = replayed(capsys, tmp_path / "run", 4)
    assert lines[-1] == SAME
    assert warnings == (
        f'warning: distributed.reduction is "allreduce" in {tmp_path / "run"}, whose bits depend '
        "on the number of ranks: 3 in the run, 1 now; that they are those of the run is not "
        "promised (--ranks 3 comes nearer)\n"
    )


def test_data_that_has_changed(tmp_path, capsys):
    x = np.linspace(-1, 1, 70, dtype=np.float32)[:, None]
    np.savez(tmp_path / "points.npz", x=x, y=x**2)
    document = tiny_document(*EVERY_2)
    source = {"name": "npz", "path": str(tmp_path / "points.npz"), "test_fraction": 0.2}
    document["data"]["source"] = source
    train(parse_config(document), SingleProcess(), tmp_path / "run")
    np.savez(tmp_path / "points.npz", x=x, y=x**3)
    said = refused([tmp_path / "run", "--step", 4], capsys)
    assert said.startswith(f"the data has changed since the run in {tmp_path / 'run'}: sha256 ")
    assert said.endswith("else its steps cannot be made again")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    assert said == refused([tmp_path / "run", "--step", 1], capsys)


# Steps that fail


def test_a_loss_that_is_not_finite(tmp_path, capsys):
    error = faulty(tmp_path / "run", "nan")
    lines, _ = replayed(capsys, tmp_path / "run", 4)
    assert lines[0].endswith("made again from the checkpoint of step 2 in one process")
    assert lines[1] == f"failure: {error} (as recorded)"
    assert lines[2] == "micro-batches:"
    assert [line.split()[0] for line in lines[3:7]] == ["0", "1", "2", "3"]
    assert [("not finite" in line) for line in lines[3:7]] == [False, False, True, False]
    assert lines[7] == (
        "the first that is not finite is micro-batch 2: loss, gradient of first.weight and 3 others"
    )
    table = {line.split()[0]: line.split()[1:] for line in lines[10:14]}
    assert table["first.weight"] == ["nan", "nan", "4", "of", "4"]
    assert lines[-1] == SAME


def test_a_gradient_that_is_not_finite_behind_a_finite_loss(tmp_path, capsys):
    faulty(tmp_path / "run", "steep")
    lines, _ = replayed(capsys, tmp_path / "run", 4)
    assert "the first that is not finite is micro-batch 2: gradient of first.weight" in lines[7]
    table = {line.split()[0]: line.split()[1:] for line in lines[10:14]}
    assert table["second.bias"][-1] == "-"
    assert table["first.bias"][-3:] == ["4", "of", "4"]


def test_a_step_that_was_skipped(tmp_path, capsys):
    assert faulty(tmp_path / "run", "nan", "training.on_nonfinite=skip") is None
    assert "skipped" in rows(tmp_path / "run")[3]
    lines, _ = replayed(capsys, tmp_path / "run", 4)
    assert f"skipped {rows(tmp_path / 'run')[3]['skipped']} (as recorded)" in lines
    assert any(line.startswith("the first that is not finite is micro-batch 2") for line in lines)
    assert lines[-1] == SAME


def test_an_exception_in_the_model(tmp_path, capsys):
    faulty(tmp_path / "run", "raise")
    # On another rank it fails in the same way.
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    moved = summary["error"].replace("rank 0 of 1 on ", "rank 1 of 3 on other-").replace("\n", " ")
    change_json(tmp_path / "run" / "summary.json", error=moved)
    lines, _ = replayed(capsys, tmp_path / "run", 4)
    assert "failed at step 4, micro-batch 2: RuntimeError('the model broke')" in lines[1]
    assert lines[1].endswith(" (as recorded)")
    assert any("replaying.py" in line and "in _raise" in line for line in lines)
    assert [line.split()[0] for line in lines if line.startswith("  ") and " loss " in line] == [
        "0",
        "1",
    ]
    assert lines[-1] == SAME


def test_a_failure_that_does_not_come_again(run, capsys):
    write_rows(run, rows(run)[:3])
    error = "step 4: the loss (nan) or a gradient is not finite"
    change_json(run / "summary.json", status="failed", error=error)
    lines, _ = replayed(capsys, run, 4, status=3)
    assert f"failure None (recorded: {error})" in lines
    assert "".join(lines).count("(recorded: ") == 1
    assert lines[-1].startswith("what was recorded did NOT come out again: ")


def test_samples_that_are_not_finite(tmp_path, capsys):
    document = tiny_document(*EVERY_2)
    document["data"]["source"] = {"name": "helpers.replaying:points_and_one_not_a_number"}
    with pytest.raises(TrainingError):
        train(parse_config(document), SingleProcess(), tmp_path / "run")
    step = len(rows(tmp_path / "run")) + 1
    lines, _ = replayed(capsys, tmp_path / "run", step)
    first = next(line for line in lines if line.startswith("the first"))
    assert ": samples (y), loss, gradient of 0.weight and 3 others" in first


@NEEDS_BFLOAT16
def test_arrays_of_bfloat16_that_are_not_finite():
    for number, finite in ((1, True), (math.nan, False), (math.inf, False)):
        assert _is_finite(np.array([0, number]).astype(half("bf16"))) is finite


def test_a_step_before_that_fails_now(tmp_path, capsys):
    faulty(tmp_path / "run", "nan")
    row = rows(tmp_path / "run")[-1]
    write_rows(tmp_path / "run", [*rows(tmp_path / "run"), row | {"step": 4}, row | {"step": 5}])
    assert main(["replay", str(tmp_path / "run"), "--step", "5"]) == 3
    assert capsys.readouterr().err.startswith(
        f"error: the replay of {tmp_path / 'run'} failed before step 5, which the run has reached, "
        "so it is not the run that was recorded: step 4: the loss (nan) or"
    )


# What is refused


def test_steps_that_are_not_there(tiny, tmp_path, capsys):
    assert refused([tiny, "--step", 0], capsys) == "--step 0: steps are numbered from 1"
    assert refused([tiny, "--step", 7], capsys) == (
        f"{tiny} has no step 7 yet: the run is done after step 6"
    )
    faulty(tmp_path / "run", "nan")
    assert refused([tmp_path / "run", "--step", 5], capsys) == (
        f"{tmp_path / 'run'} has no step 5 yet: the run failed after step 3, so the last that can "
        "be is 4"
    )


def test_no_run(tmp_path, capsys):
    path = tmp_path / "none"
    assert refused([path, "--step", 1], capsys) == (
        f"{path} is not the folder of a run: there is no such folder; name one, as runs/NAME"
    )
    said = refused([tmp_path, "--step", 1], capsys)
    assert "it has no config.toml; name one, as runs/NAME" in said


def test_what_is_asked_must_be_one_thing(tiny, capsys):
    either = "give either --step N, to look into one step, or --against RUN"
    assert refused([tiny], capsys) == either
    assert refused([tiny, "--step", 1, "--against", tiny], capsys) == either
    assert refused([tiny, "--step", 1, "--ranks", 2, "--json"], capsys) == (
        "--json is for one process: lines of several ranks are tagged"
    )
    assert main(["replay", str(tiny), "--step", "1", "--ranks", "0"]) == 2
    assert "the number of ranks must be at least 1" in capsys.readouterr().err


# Several ranks

needs_mpirun = pytest.mark.skipif(mpirun_path() is None, reason="needs an mpirun")


@pytest.fixture(scope="module", params=[("tree", 3), ("sharded", 2)], ids=lambda p: p[0])
def many(request, tmp_path_factory):
    """Dropout, BatchNorm, clipping, AdamW in two groups, a schedule, partial windows."""
    reduction, ranks = request.param
    folder = tmp_path_factory.mktemp("runs")
    document = variant("cnn", *EVERY_2, f"distributed.reduction={reduction}")
    (folder / "cnn.toml").write_text(dumps(document.model_dump(mode="json", exclude_none=True)))
    words = ["train", folder / "cnn.toml", "--run-dir", folder / "run"]
    done = mpirun(ranks, ["python", "-m", "distgrad", *words], env={"PYTHONPATH": TESTS})
    assert done.returncode == 0, done.stderr
    return folder / "run"


@needs_mpirun
def test_one_process_makes_the_steps_of_many_ranks(many):
    for row in rows(many):
        replay = replay_step(many, row["step"], SingleProcess())
        assert replay.reproduced
        assert replay.arrays == ([] if row["step"] % 2 == 0 else None)


@needs_mpirun
@pytest.mark.parametrize("step", [3, 6])
def test_many_ranks_make_them_too(many, step, capsys):
    lines, _ = replayed(capsys, many, step)
    done = mpirun(
        4,
        ["python", "-m", "distgrad", "replay", many, "--step", str(step)],
        env={"PYTHONPATH": TESTS},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == lines[1:]
    assert done.stdout.splitlines()[0].endswith(" in 4 ranks")


@needs_mpirun
@pytest.mark.parametrize(("fault", "ranks"), [("nan", 3), ("raise", 3), ("steep", 2)])
def test_what_fails_on_many_ranks_fails_in_one_process(tmp_path, capsys, fault, ranks):
    document = tiny_document(*EVERY_2)
    document["model"] = {"name": "helpers.replaying:Faulty", "fault": fault}
    (tmp_path / "faulty.toml").write_text(dumps(document))
    words = ["python", "-m", "distgrad"]
    on = {"PYTHONPATH": TESTS}
    train_words = ["train", tmp_path / "faulty.toml", "--run-dir", tmp_path / "run"]
    assert mpirun(ranks, [*words, *train_words], env=on).returncode == 3
    lines, _ = replayed(capsys, tmp_path / "run", 4)
    assert lines[1].endswith(" (as recorded)")
    assert lines[-1] == SAME
    again = mpirun(2, [*words, "replay", tmp_path / "run", "--step", "4"], env=on)
    assert again.returncode == 0, again.stderr
    told = again.stdout.splitlines()
    if fault == "raise":
        assert "traceback of rank 1:" in told
        assert "RuntimeError: the model broke" in told
    else:
        assert told[1:] == lines[1:]


@needs_mpirun
def test_ranks_that_the_command_starts(many, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", TESTS)
    run = copied(many, tmp_path / "run")
    assert main(["replay", str(run), "--step", "4", "--ranks", "2"]) == 0
    assert f"[rank 0] {SAME}" in capfd.readouterr().out
    change_row(run, 4, "loss")
    assert main(["replay", str(run), "--step", "4", "--ranks", "2"]) == 3
