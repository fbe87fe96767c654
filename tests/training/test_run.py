"""What a run leaves behind."""

import hashlib
import json
import tomllib

import numpy as np
import pytest
from helpers.configs import tiny_config
from safetensors.numpy import load_file

import distgrad as dg
from distgrad.distributed import SingleProcess
from distgrad.errors import TrainingError, UsageError
from distgrad.training import parse_config
from distgrad.training.run import train
from distgrad.training.weights import weights_sha256

FILES = {
    ".lock",
    "checkpoints",
    "config.toml",
    "environment.json",
    "journal.jsonl",
    "metrics.jsonl",
    "summary.json",
    "weights.safetensors",
}


def run(folder, *assignments):
    return train(tiny_config(*assignments), SingleProcess(), folder)


def read(folder, name):
    return json.loads((folder / name).read_text())


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    run(folder)
    return folder


def test_the_files(done):
    assert {path.name for path in done.iterdir()} == FILES


def test_the_configuration_can_be_run_again(done, tmp_path):
    config = parse_config(tomllib.loads((done / "config.toml").read_text()))
    again = train(config, SingleProcess(), tmp_path / "again")
    assert again.weights_sha256 == read(done, "summary.json")["weights_sha256"]


def test_the_metrics_have_a_line_a_step(done):
    rows = [json.loads(line) for line in (done / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["samples"] for row in rows] == [28, 28, 14] * 2
    assert set(rows[0]) == {"step", "epoch", "loss", "lr", "samples", "count", "seconds"}


def test_the_summary(done):
    summary = read(done, "summary.json")
    rows = (done / "metrics.jsonl").read_text().splitlines()
    expected = {
        "status": "done",
        "error": None,
        "steps": 6,
        "epochs": 2,
        "world_size": 1,
        "micro_batches_per_step": 4,
        "final_loss": json.loads(rows[-1])["loss"],
        "reduction": "tree",
        "restarts": 0,
        "ranks_lost": 0,
    }
    assert summary.items() >= expected.items()
    assert set(summary["metrics"]) == {"loss"}
    assert summary["samples_per_second"] > 0
    assert summary["wall_seconds"] > 0
    assert len(summary["peak_rss_mb"]) == 1
    assert 10 < summary["peak_rss_mb"][0] < 10_000


def test_the_data_hash_is_that_of_the_training_samples(done):
    train_part = dg.data.sine(samples=70, test_samples=21).train
    assert read(done, "summary.json")["data_sha256"] == dg.data.data_sha256(train_part)


def test_the_weights_are_those_of_the_hash(done):
    weights = load_file(done / "weights.safetensors")
    digest = hashlib.sha256()
    for name in sorted(weights):
        array = weights[name]
        digest.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
        digest.update(array.astype("<f4").tobytes("C"))
    assert digest.hexdigest() == read(done, "summary.json")["weights_sha256"]


def test_the_weights_load_and_give_the_metrics(done):
    model = tiny_config().model.build()
    model.load_state_dict(load_file(done / "weights.safetensors"))
    assert weights_sha256(model) == read(done, "summary.json")["weights_sha256"]
    x, y = tiny_config().data.source.build().test[:]
    loss = float(((model.eval()(x).data - y.data) ** 2).mean())
    assert read(done, "summary.json")["metrics"]["loss"] == pytest.approx(loss, rel=1e-6)


def test_the_environment(done):
    environment = read(done, "environment.json")
    assert environment["distgrad"] == dg.__version__
    assert environment["numpy"] == np.__version__
    assert environment["numpy_simd"]["baseline"]
    assert set(environment["blas_threads"].values()) <= {1}
    assert len(environment["hosts"]) == 1


def test_the_result_is_printed(tmp_path, capsys):
    summary = run(tmp_path / "run")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [
        f"loss {summary.metrics['loss']:.6g}",
        f"weights_sha256 {summary.weights_sha256}",
        f"run folder {tmp_path / 'run'}",
    ]


def test_a_run_in_the_middle_of_an_epoch(tmp_path):
    summary = run(tmp_path / "run", "training.max_steps=4")
    assert (summary.steps, summary.epochs) == (4, 1)


def test_a_run_that_fails_says_so_and_leaves_no_weights(tmp_path):
    with pytest.raises(TrainingError) as raised:
        run(tmp_path / "run", "optimizer.name=sgd", "optimizer.lr=1e30")
    summary = read(tmp_path / "run", "summary.json")
    assert summary["status"] == "failed"
    assert summary["error"] == str(raised.value)
    assert summary["steps"] == 1
    assert summary["metrics"] == {}
    left = FILES - {"checkpoints", "weights.safetensors"}
    assert {path.name for path in (tmp_path / "run").iterdir()} == left


def test_a_run_that_is_refused_leaves_no_folder(tmp_path):
    with pytest.raises(UsageError):
        run(tmp_path / "run", "model.sizes=[1, 2]")
    assert not list(tmp_path.iterdir())


def test_a_run_does_not_go_into_a_folder_that_exists(tmp_path):
    with pytest.raises(UsageError, match="exists already"):
        run(tmp_path)
    assert not list(tmp_path.iterdir())
