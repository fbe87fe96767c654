"""Training on a GPU, as the strict double shows it: the bits of the CPU, and what crosses over."""

import json
import sys

import numpy as np
import pytest
from helpers.configs import tiny_file
from helpers.mpi import mpirun
from helpers.resuming import ended, through_the_disk, trained, variant
from helpers.strict_device import double, strict_device

from distgrad.backend import bfloat16, device_name, to_host
from distgrad.backend.devices import device_count
from distgrad.cli import main
from distgrad.distributed import SingleProcess
from distgrad.errors import UsageError
from distgrad.training import Trainer
from distgrad.training.environment import bit_relevant, describe_environment
from distgrad.training.replay import replay_step

CUDA = "run.device=cuda"
EVERY_STEP = "checkpoint.every_steps=1"


@pytest.fixture
def device():
    with strict_device() as found:
        yield found


def run(config):
    trainer = Trainer(config, SingleProcess())
    return trained(trainer), ended(trainer)


@pytest.mark.parametrize("name", ["cnn", "momentum", "stream", "read ahead", "target"])
def test_the_double_has_the_bits_of_the_cpu(device, name):
    assert run(variant(name, CUDA)) == run(variant(name))


TEXT = [
    "model={name = 'gpt', layers = 1, width = 16, heads = 2, dropout = 0.1}",
    "data.source={name = 'text', context = 8, stride = 4000}",
    "training.loss=next_token",
    "training.max_steps=2",
    "sample={prompt = 'the', length = 4}",
]


def test_a_language_model_writes_the_same_text(device):
    """The gradient of a table is summed up in another order on a GPU: not the same bits."""
    of_cpu, of_device = (
        Trainer(variant("adamw", *TEXT, *where), SingleProcess()) for where in ([], [CUDA])
    )
    trained(of_cpu)
    trained(of_device)
    assert of_cpu.sample() == of_device.sample()
    for one, other in zip(of_cpu.model.parameters(), of_device.model.parameters(), strict=True):
        np.testing.assert_allclose(one.data, to_host(other.data), rtol=1e-4, atol=1e-5)


def test_everything_that_is_trained_lies_on_the_device(device):
    trainer = Trainer(variant("cnn", CUDA), SingleProcess())
    trained(trainer, 1)
    arrays = [*trainer.model.module.parameters(), *trainer.average.module.parameters()]
    arrays += [value for state in trainer.optimizer.state.values() for value in state.values()]
    arrays += [parameter.grad for parameter in trainer.model.parameters()]
    places = {device_name(tensor.data) for tensor in arrays if hasattr(tensor, "data")}
    assert places == {"cuda:0"}
    assert trainer.device == "cuda:0"


@pytest.mark.parametrize("ways", [("cuda", "cpu"), ("cpu", "cuda"), ("cuda", "cuda")])
@pytest.mark.parametrize("name", ["cnn", "amsgrad"])
def test_a_checkpoint_goes_from_one_device_to_another(device, name, ways):
    straight = run(variant(name))[1]
    first, second = (Trainer(variant(name, f"run.device={w}"), SingleProcess()) for w in ways)
    trained(first, 3)
    second.restore(through_the_disk(first.checkpoint(), SingleProcess()))
    trained(second)
    assert ended(second) == straight


def test_checkpoints_of_both_devices_are_the_same_bytes(device):
    of_both = []
    for where in ([], [CUDA]):
        trainer = Trainer(variant("cnn", *where), SingleProcess())
        trained(trainer, 2)
        checkpoint = trainer.checkpoint()
        of_both.append(
            {
                (group, name): (type(array), array.dtype, array.tobytes())
                for group, arrays in checkpoint.arrays.items()
                for name, array in arrays.items()
            }
        )
    assert of_both[0] == of_both[1]
    assert {kind for kind, _, _ in of_both[0].values()} == {np.ndarray}


class TestRuns:
    def train(self, folder, *changes):
        argv = ["train", str(tiny_file(folder)), "--run-dir", str(folder / "run")]
        return main([*argv, *(part for change in changes for part in ("--set", change))])

    def test_a_run_says_where_it_computes(self, device, tmp_path, capsys):
        assert self.train(tmp_path, CUDA) == 0
        environment = json.loads((tmp_path / "run" / "environment.json").read_text())
        assert environment["device"] == f"strict double, NumPy {np.__version__}"
        assert environment["devices"][0]["device"] == "cuda:0"
        assert environment["transport"] == "none: there is one rank"
        assert bit_relevant(environment)["device"] == environment["device"]
        assert f"computes on {environment['device']}" in capsys.readouterr().out

    def test_a_run_is_made_again_step_by_step(self, device, tmp_path):
        assert self.train(tmp_path, CUDA, "checkpoint.every_steps=2") == 0
        replay = replay_step(tmp_path / "run", 3, SingleProcess())
        assert replay.reproduced
        assert replay.warnings == []

    def test_a_run_is_evaluated(self, device, tmp_path, capsys):
        assert self.train(tmp_path, CUDA) == 0
        summary = json.loads((tmp_path / "run" / "summary.json").read_text())
        assert main(["evaluate", str(tmp_path / "run")]) == 0
        assert main(["evaluate", str(tmp_path / "run"), "--set", "run.device=cpu"]) == 0
        assert capsys.readouterr().out.count(summary["weights_sha256"]) == 3

    def test_a_run_goes_on_elsewhere_and_says_so(self, device, tmp_path, capsys):
        assert self.train(tmp_path, CUDA, "training.max_steps=3") == 0
        argv = ["train", str(tiny_file(tmp_path)), "--run-dir", str(tmp_path / "run"), "--resume"]
        assert main(argv) == 0
        assert "device cpu, was strict double" in capsys.readouterr().err

    @pytest.mark.parametrize("setting", ["DISTGRAD_TF32", "CUPY_TF32"])
    def test_products_of_19_bits_are_another_environment(
        self, device, tmp_path, capsys, monkeypatch, setting
    ):
        double = f"strict double, NumPy {np.__version__}"
        rounded = f"{double}, products of float32 in TF32 ({setting})"
        assert self.train(tmp_path, CUDA, "training.max_steps=3", EVERY_STEP) == 0
        monkeypatch.setenv(setting, "1")
        (warning,) = replay_step(tmp_path / "run", 2, SingleProcess()).warnings
        assert f"device {rounded}, was {double}" in warning
        argv = ["train", str(tiny_file(tmp_path)), "--run-dir", str(tmp_path / "run"), "--resume"]
        capsys.readouterr()
        assert main([*argv, "--set", CUDA]) == 0
        said = " ".join(capsys.readouterr().err.split())
        assert f"is not that of the run before: device {rounded}, was {double}" in said


def test_without_a_gpu_it_ends_before_the_first_step(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(double, "count", lambda: 0)
    with strict_device():
        assert TestRuns().train(tmp_path, CUDA) == 2
    told = capsys.readouterr().err
    assert "there is no GPU, or no driver for the CUDA version that CuPy was built for" in told
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(device_count() > 0, reason="there is a GPU here")
def test_without_cupy_all_ranks_end_with_status_2_and_one_says_why(tmp_path):
    argv = ["-m", "distgrad", "train", tiny_file(tmp_path), "--set", CUDA]
    job = mpirun(2, ["python", *argv], cwd=tmp_path)
    assert job.returncode == 2
    assert job.stderr.count("GPUs are computed on with CuPy, which does not load here") == 1
    assert "pip install 'distgrad[cuda12]' or 'distgrad[cuda13]'" in job.stderr
    assert not (tmp_path / "runs").exists()


def test_a_precision_whose_package_is_not_there(monkeypatch):
    monkeypatch.setattr(bfloat16, "_type", None)
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(UsageError, match="bfloat16 comes from the package ml_dtypes, which is not"):
        Trainer(variant("adamw", "training.precision=bf16"), SingleProcess())


def test_the_environment_of_the_cpu_names_no_gpu():
    environment = describe_environment(SingleProcess())
    assert (environment["device"], environment["devices"]) == ("cpu", [])
