"""A run that is broken off and goes on with another number of ranks has the bits of one process."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from helpers.resuming import broken_off, ended, trained, variant

from distgrad.distributed import SingleProcess
from distgrad.errors import Interrupted
from distgrad.training import Trainer
from distgrad.training.checkpoint import Checkpoint
from distgrad.training.run import train
from distgrad.training.sharing import _PIECE, share
from distgrad.training.weights import weights_sha256

pytestmark = pytest.mark.mpi


@cache
def undisturbed(name):
    trainer = Trainer(variant(name), SingleProcess())
    return trained(trainer), ended(trainer)


@pytest.mark.parametrize("name", ["cnn", "adamw", "patience", "stream", "momentum"])
@pytest.mark.parametrize("step", [1, 3, 4])
def test_the_same_to_the_last_bit(comm, alone, name, step):
    expected = undisturbed(name)
    assert broken_off(variant(name), step, comm, alone) == expected
    assert broken_off(variant(name), step, alone, comm) == expected
    assert broken_off(variant(name), step, comm, comm) == expected


@pytest.mark.parametrize("step", [2, 5])
def test_from_half_of_the_ranks_to_all_and_back(comm, half, step):
    expected = undisturbed("cnn")
    assert broken_off(variant("cnn"), step, half, comm) == expected
    assert broken_off(variant("cnn"), step, comm, half) == expected


def test_optimizers_that_keep_their_slice_only_go_on_as_those_that_keep_all(comm, alone):
    tree, sharded = variant("cnn"), variant("cnn", "distributed.reduction=sharded")
    first = Trainer(sharded, comm)
    trained(first, 3)
    second = Trainer(tree, alone)
    second.restore(first.checkpoint())
    trained(second)
    assert ended(second) == undisturbed("cnn")[1]
    assert broken_off(sharded, 4, comm, alone) == undisturbed("cnn")


def test_allreduce_goes_on_too(comm):
    config = variant("cnn", "distributed.reduction=allreduce")
    rows, _ = broken_off(config, 3, comm, comm)
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]


def test_only_the_first_rank_needs_the_folder(comm, tmp_path):
    """The hosts need no common disk."""
    config = variant("cnn", "checkpoint.every_steps=1")
    path = tmp_path / "run" if comm.rank == 0 else Path("/dev/null/nowhere")
    with pytest.raises(Interrupted):
        train(config, comm, path, listen=lambda stop: stop())
    summary = train(config, comm, path, resume=True)
    trainer = Trainer(config, SingleProcess())
    trained(trainer)
    assert summary.weights_sha256 == weights_sha256(trainer.evaluated)
    assert summary.steps == 6


# What rank 0 has read, on all ranks


ARRAYS = {
    "float32": np.arange(6, dtype=np.float32).reshape(2, 3),
    "float64": np.array([np.nan, -0.0, np.inf]),
    "bool": np.array([True, False]),
    "scalar": np.array(7),
    "empty": np.zeros((0, 3), np.float32),
    "strided": np.arange(12).reshape(3, 4)[:, ::2],
}


def test_all_ranks_get_the_checkpoint_of_rank_0(comm):
    given = Checkpoint(3, {"model": ARRAYS, "empty": {}}, {"lr": 0.1, "names": ["a", None]})
    found = share(comm, given if comm.rank == 0 else None)
    assert (found.step, dict(found.state)) == (3, dict(given.state))
    assert found.arrays["empty"] == {}
    assert list(found.arrays["model"]) == list(ARRAYS)
    for name, array in ARRAYS.items():
        other = found.arrays["model"][name]
        assert (other.dtype, other.shape) == (array.dtype, array.shape)
        assert other.tobytes() == array.tobytes()


def test_arrays_that_must_not_change_are_only_read(comm):
    array = np.arange(5.0)
    array.flags.writeable = False
    found = share(comm, Checkpoint(1, {"model": {"a": array}}, {}))
    assert found.arrays["model"]["a"].tolist() == [0, 1, 2, 3, 4]


def test_what_the_other_ranks_give_does_not_matter(comm):
    own = Checkpoint(comm.rank, {"model": {"rank": np.array(comm.rank)}}, {})
    found = share(comm, own)
    assert found.step == found.arrays["model"]["rank"] == 0


def test_no_checkpoint(comm):
    assert share(comm, None) is None


@pytest.mark.parametrize("size", [_PIECE - 1, _PIECE, _PIECE + 1])
def test_arrays_that_take_several_messages(comm, size):
    array = np.arange(size, dtype=np.uint8) if comm.rank == 0 else np.zeros(1)
    found = share(comm, Checkpoint(1, {"model": {"a": array}}, {}))
    whole = found.arrays["model"]["a"]
    assert whole.size == size
    assert whole[[0, size // 2, size - 1]].tolist() == [0, size // 2 % 256, (size - 1) % 256]
