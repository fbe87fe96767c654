"""The configurations that come with the project: they train to what their comments promise."""

import json
import tomllib
from pathlib import Path

import pytest
from helpers.mpi import mpirun

from distgrad.data.sources.idx import FASHION_MNIST
from distgrad.distributed import SingleProcess
from distgrad.training import Trainer, load_config

CONFIGS = Path(__file__).parents[1] / "configs"
ALL = sorted(CONFIGS.glob("*.toml"))


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_configuration_is_valid_and_short(path):
    config = load_config(path)
    assert config.run.name == path.stem
    config.check_ranks(4)
    assert len(path.read_text().splitlines()) <= 40


def test_the_sine_is_learned():
    trainer = Trainer(load_config(CONFIGS / "sine.toml"), SingleProcess())
    reports = list(trainer.steps())
    assert reports[-1].step < trainer.last_step
    assert trainer.evaluate()["loss"] < 1e-3


def test_the_tables_are_learned():
    pytest.importorskip("sklearn")
    assert beginning("diabetes.toml").evaluate()["loss"] < 0.5
    assert beginning("breast_cancer.toml").evaluate()["accuracy"] > 0.98


def beginning(name, *changes):
    """What the first steps of a run come to, where the whole run takes a minute or two."""
    trainer = Trainer(load_config(CONFIGS / name, changes), SingleProcess())
    for _ in trainer.steps():
        pass
    return trainer


def test_the_transformer_begins_to_write():
    small = ["data.global_batch_size=32", "training.max_steps=40", "scheduler.warmup_steps=10"]
    trainer = beginning("char_gpt.toml", *small, "data.source.test_fraction=0.05")
    # Characters by their frequency alone are 3.1 to 3.2 nats each, as Python's version is.
    assert trainer.evaluate()["loss"] < 2.9
    assert len(trainer.sample()) == len("The ") + 200


def test_the_series_begins_to_be_told():
    short = ["data.source.length=1500", "training.max_steps=60", "scheduler.warmup_steps=5"]
    # Each number taken to be the last one again, the loss is 0.67.
    assert beginning("mackey_glass_lstm.toml", *short).evaluate()["loss"] < 0.2


@pytest.mark.skipif(not Path(FASHION_MNIST).exists(), reason="needs Debian's dataset-fashion-mnist")
def test_clothes_begin_to_be_told_apart():
    trainer = beginning("fashion_cnn.toml", "training.max_steps=25", "scheduler.warmup_steps=5")
    assert trainer.evaluate()["accuracy"] > 0.7


@pytest.mark.skipif(not Path(FASHION_MNIST).exists(), reason="needs Debian's dataset-fashion-mnist")
def test_clothes_begin_to_be_told_apart_by_residual_blocks():
    small = ["model.channels=[8, 16]", "data.global_batch_size=64", "optimizer.lr=0.02"]
    short = ["training.max_steps=60", "scheduler.warmup_steps=5"]
    assert beginning("fashion_resnet.toml", *small, *short).evaluate()["accuracy"] > 0.5


def test_the_global_batch_of_the_digits_is_uneven():
    data = tomllib.loads((CONFIGS / "digits_mlp.toml").read_text())["data"]
    assert data["global_batch_size"] % data["micro_batch_size"]


def trained_digits(folder, ranks, *words):
    argv = ["distgrad", "train", CONFIGS / "digits_mlp.toml", "--run-dir", folder / str(ranks)]
    done = mpirun(ranks, ["python", "-m", *argv, *words], timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / str(ranks) / "summary.json").read_text())


def test_the_digits_are_learned_on_two_ranks(tmp_path):
    pytest.importorskip("sklearn")
    assert trained_digits(tmp_path, 2)["metrics"]["accuracy"] >= 0.97


def test_the_weights_of_the_digits_do_not_depend_on_the_number_of_ranks(tmp_path):
    pytest.importorskip("sklearn")
    short = ("--set", "training.max_steps=20")  # beyond the partial window of an epoch
    results = [trained_digits(tmp_path, ranks, *short) for ranks in (1, 2, 3, 4)]
    assert len({result["weights_sha256"] for result in results}) == 1
    assert len({json.dumps(result["metrics"]) for result in results}) == 1
