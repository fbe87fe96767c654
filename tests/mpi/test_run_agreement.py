"""Ranks that do not do the same run find out before the first step, all of them."""

import sys

import pytest
from helpers.configs import tiny_config

from distgrad.errors import UsageError
from distgrad.training.agreement import compare_environments
from distgrad.training.code import code_hashes
from distgrad.training.environment import describe_environment
from distgrad.training.run import train

pytestmark = pytest.mark.mpi


@pytest.fixture
def several(comm):
    if comm.size == 1:
        pytest.skip("one rank agrees with itself")
    return comm


def refused(comm, tmp_path, *assignments):
    with pytest.raises(UsageError) as caught:
        train(tiny_config(*assignments), comm, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    (said,) = set(comm.all_gather_object(str(caught.value)))
    return said


def on_last(comm, value, other):
    return value if comm.rank == comm.size - 1 else other


def between(comm, name, first, last):
    return (
        f"{name} differs between ranks: {first!r} on rank 0 ({comm.host}) but {last!r} on rank "
        f"{comm.size - 1} ({comm.host}); give every host the same"
    )


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [("data.micro_batch_size", 8, 7), ("optimizer.lr", 0.01, 0.02), ("training.seed", 0, 1)],
)
def test_another_configuration(several, tmp_path, key, first, last):
    said = refused(several, tmp_path, f"{key}={on_last(several, last, first)}")
    assert said == f"the configuration: {between(several, key, first, last)} file"


def test_another_file_of_components(several, tmp_path, monkeypatch):
    (tmp_path / "differing_parts.py").write_text(
        "from distgrad.training.models import mlp\n" + on_last(several, "x = 1\n", "")
    )
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("differing_parts", None)
    said = refused(several, tmp_path, "model.name=differing_parts:mlp")
    assert said.startswith("the code: differing_parts differs between ranks: '")
    assert said.endswith("; give every host the same version of it")


def test_other_data(several, tmp_path, monkeypatch):
    path = tmp_path / "data.csv"
    rows = [f"{i},{i * on_last(several, 3, 2)}" for i in range(40)]
    path.write_text("\n".join(["a,b", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    said = refused(
        several,
        tmp_path,
        "data.source={name = 'csv', path = 'data.csv', target = 'b', task = 'regression'}",
    )
    assert said.startswith("the data: train.sha256 differs between ranks: '")
    assert said.endswith("; give every host the same files")


def test_another_version_is_refused_and_another_processor_is_told(several):
    environment = describe_environment(several)
    assert compare_environments(several, environment) == []
    other = {**environment, "libc": on_last(several, "musl 1.2", environment["libc"])}
    (warning,) = compare_environments(several, other)
    assert warning.startswith("the ranks compute differently: libc differs between ranks: ")
    assert f"'musl 1.2' on rank {several.size - 1} ({several.host})" in warning
    old = {**environment, "numpy": on_last(several, "1.0", environment["numpy"])}
    with pytest.raises(UsageError, match=r"the software: NumPy differs between ranks: .*'1\.0'"):
        compare_environments(several, old)


def test_the_code_of_distgrad_is_part_of_it():
    hashes = code_hashes(iter(["adam", "distgrad.optim:Adam", "sys:exit"]))
    assert sorted(hashes) == ["distgrad", "distgrad.optim", "sys"]
    assert len(hashes["distgrad"]) == len(hashes["distgrad.optim"]) == 64
    assert hashes["sys"] == "without a file"


def test_half_of_the_ranks_may_do_another_run(comm, half, tmp_path):
    config = tiny_config("training.max_steps=1", f"training.seed={comm.rank % 2}")
    assert train(config, half, tmp_path / "run").status == "done"
