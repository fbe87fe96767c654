"""`distgrad evaluate`: what a finished run gives again, and what is refused."""

import json
import shutil

import numpy as np
import pytest
from helpers.configs import tiny_config, tiny_document
from helpers.mpi import mpirun

from distgrad.cli import main
from distgrad.distributed import SingleProcess
from distgrad.training import parse_config
from distgrad.training.run import train


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    train(tiny_config(), SingleProcess(), folder)
    return folder


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the run, to be changed."""
    return shutil.copytree(finished, tmp_path / "run")


def refused(argv, capsys):
    assert main(["evaluate", *map(str, argv)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.removeprefix("error: ").removesuffix("\n")


def change_summary(folder, **changes):
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_metrics_are_those_of_the_run(finished, capsys):
    summary = json.loads((finished / "summary.json").read_text())
    before = sorted(path.name for path in finished.iterdir())
    assert main(["evaluate", str(finished)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"loss {summary['metrics']['loss']:.6g}",
        f"weights_sha256 {summary['weights_sha256']}",
        f"run folder {finished}",
    ]
    assert sorted(path.name for path in finished.iterdir()) == before


def test_the_micro_batch_does_not_change_what_is_counted(finished, capsys):
    main(["evaluate", str(finished)])
    one = float(capsys.readouterr().out.split()[1])
    main(["evaluate", str(finished), "--set", "data.micro_batch_size=5"])
    assert float(capsys.readouterr().out.split()[1]) == pytest.approx(one, rel=1e-5)


def test_other_data_on_purpose(finished, capsys):
    assert main(["evaluate", str(finished), "--set", "data.source.seed=1"]) == 0
    assert capsys.readouterr().out.startswith("loss ")


def test_any_number_of_ranks(finished):
    done = mpirun(3, ["python", "-m", "distgrad", "evaluate", finished])
    assert done.returncode == 0, done.stderr
    summary = json.loads((finished / "summary.json").read_text())
    assert done.stdout.splitlines()[0] == f"loss {summary['metrics']['loss']:.6g}"
    assert len(done.stdout.splitlines()) == 3


def test_a_refusal_under_mpirun_is_said_once(tmp_path):
    done = mpirun(2, ["python", "-m", "distgrad", "evaluate", tmp_path / "none"])
    assert done.returncode == 2
    assert done.stderr.count("there is no such folder") == 1


def test_no_such_run(tmp_path, capsys):
    path = tmp_path / "none"
    assert refused([path], capsys) == (
        f"{path} is not the folder of a run: there is no such folder; name one, as runs/NAME"
    )


def test_a_folder_of_something_else(tmp_path, capsys):
    assert "it has no config.toml; name one, as runs/NAME" in refused([tmp_path], capsys)


def test_a_run_without_an_end(run, capsys):
    (run / "summary.json").unlink()
    assert refused([run], capsys) == (
        f"the run in {run} has no summary.json: it still trains, or was ended before it was done "
        "(then go on with it with --resume); only a run that is done can be evaluated"
    )


def test_a_run_that_was_interrupted(run, capsys):
    change_summary(run, status="interrupted")
    assert refused([run], capsys) == (
        f"the run in {run} was interrupted; only a run that is done can be evaluated: go on with "
        "it with --resume"
    )


def test_a_run_that_failed(run, capsys):
    change_summary(run, status="failed", error="step 2: the loss (nan) is not finite")
    assert refused([run], capsys) == (
        f"the run in {run} failed (step 2: the loss (nan) is not finite); only a run that is done "
        "can be evaluated"
    )


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_summary_that_is_none(run, capsys, content):
    (run / "summary.json").write_text(content)
    assert f"{run / 'summary.json'}: cannot be read (" in refused([run], capsys)


def test_weights_that_are_not_there(run, capsys):
    (run / "weights.safetensors").unlink()
    assert "weights.safetensors: cannot be read (" in refused([run], capsys)


@pytest.mark.parametrize("length", [0, 5, 100])
def test_weights_cut_short(run, capsys, length):
    path = run / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    assert "weights.safetensors: cannot be read (" in refused([run], capsys)


def test_weights_that_do_not_fit_the_model(run, capsys):
    said = refused([run, "--set", "model.sizes=[1, 9, 1]"], capsys)
    assert said.startswith(f"{run / 'weights.safetensors'}: state_dict does not fit Sequential;")
    assert 'mismatched: "0.weight" has shape (9, 1), got (8, 1)' in said


def test_weights_that_were_changed(run, capsys):
    path = run / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    said = refused([run], capsys)
    assert f"{path} has weights_sha256 " in said
    assert "one of the files was changed; train again" in said


def test_data_that_has_changed(run, capsys):
    change_summary(run, data_sha256="0" * 64)
    said = refused([run], capsys)
    assert said.startswith(f"the data has changed since the run in {run}: data_sha256 is ")
    assert said.endswith("or say what to evaluate on by --set data.source.KEY=VALUE")


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A run that has learned a text of 3 characters, in a folder with other texts."""
    monkeypatch.chdir(tmp_path)
    for name, words in (("one", "aab ab "), ("same", "ba bba "), ("other", "aac ac ")):
        (tmp_path / f"{name}.txt").write_text(words * 40)
    document = tiny_document("training.loss=next_token", "training.max_epochs=1")
    document["model"] = {"name": "gpt", "layers": 1, "width": 8, "heads": 2}
    document["data"] |= {"source": {"name": "text", "path": "one.txt", "context": 4}}
    train(parse_config(document), SingleProcess(), tmp_path / "run")
    return tmp_path / "run"


def test_a_model_of_a_text(written, capsys):
    assert json.loads((written / "vocabulary.json").read_text()) == {"characters": " ab"}
    assert main(["evaluate", str(written)]) == 0
    assert main(["evaluate", str(written), "--set", "data.source.path=same.txt"]) == 0
    lines = capsys.readouterr().out.splitlines()
    metrics = dict(zip(*[iter(lines[-3].split())] * 2, strict=True))
    assert list(metrics) == ["accuracy", "loss", "bits_per_token", "perplexity"]


def test_a_text_of_other_characters(written, capsys):
    said = refused([written, "--set", "data.source.path=other.txt"], capsys)
    assert said == (
        f"the text has the characters ' ac', but the run in {written} has learned ' ab'; give a "
        "text of the same characters"
    )


def test_a_model_with_batch_normalisation(tmp_path, capsys):
    document = tiny_document("training.loss=cross_entropy", "training.max_epochs=1")
    document["model"] = {"name": "cnn", "channels": [2], "hidden": 4, "batch_norm": True}
    pixels = np.random.default_rng(0).random((40, 1, 4, 4))
    np.savez(tmp_path / "images.npz", x=pixels, y=np.arange(40) % 3)
    source = {"name": "npz", "path": str(tmp_path / "images.npz"), "test_fraction": 0.25}
    document["data"] |= {"source": source}
    train(parse_config(document), SingleProcess(), tmp_path / "run")
    printed = capsys.readouterr().out.splitlines()[-3:]
    assert main(["evaluate", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out.splitlines() == printed


def test_a_bad_override(finished, capsys):
    said = refused([finished, "--set", "model.drop=1"], capsys)
    assert said.startswith(f"{finished / 'config.toml'}: model.drop: unknown key; did you mean")
