"""Runs whose optimizer is divided among the ranks: the same result, and checkpoints for any."""

import json

import numpy as np
import pytest
from helpers.configs import tiny_config, tiny_file
from helpers.mpi import mpirun

import distgrad as dg
from distgrad.distributed import ShardedOptimizer, SingleProcess
from distgrad.errors import UsageError
from distgrad.training import Trainer

SHARDED = "distributed.reduction=sharded"
LARGE = ("model.sizes=[1, 2000, 100, 1]", "training.clip_grad_norm=0.5")  # 3.1 blocks: 3 owners
SAME = ("weights_sha256", "metrics", "final_loss", "steps")


def trained(folder, run, ranks, *changes, resume=False):
    words = [word for change in (*LARGE, *changes) for word in ("--set", change)]
    argv = ["train", "tiny.toml", "--run-dir", run, *words, *(["--resume"] if resume else [])]
    done = mpirun(ranks, ["python", "-m", "distgrad", *argv], timeout=120, cwd=folder)
    assert done.returncode == 0, done.stderr
    summary = json.loads((folder / run / "summary.json").read_text())
    return [summary[name] for name in SAME]


def test_one_result_also_of_a_run_that_goes_on_elsewhere(tmp_path):
    tiny_file(tmp_path)
    expected = trained(tmp_path, "tree", 1)
    assert trained(tmp_path, "one", 1, SHARDED) == expected
    assert trained(tmp_path, "three", 3, SHARDED) == expected
    trained(tmp_path, "moved", 3, SHARDED, "training.max_steps=2")
    trained(tmp_path, "moved", 2, SHARDED, "training.max_steps=4", resume=True)
    assert trained(tmp_path, "moved", 4, SHARDED, resume=True) == expected


def test_the_trainer_shards_the_optimizer():
    matrices = "training.weight_decay_on=matrices"
    trainer = Trainer(tiny_config(SHARDED, matrices), SingleProcess())
    assert isinstance(trainer.optimizer, ShardedOptimizer)
    assert [group["weight_decay"] for group in trainer.optimizer.param_groups] == [0.01, 0.0]
    plain = Trainer(tiny_config(matrices), SingleProcess())
    assert type(plain.optimizer) is dg.optim.AdamW
    losses = [[report.loss for report in t.steps()] for t in (trainer, plain)]
    assert losses[0] == losses[1]
    saved = [t.checkpoint() for t in (trainer, plain)]
    assert saved[0].state["states"] == saved[1].state["states"]
    for group, arrays in saved[1].arrays.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(saved[0].arrays[group][name], array)


class Unlike(dg.optim.Optimizer):
    """An optimizer that is none of single elements."""

    def __init__(self, params, lr: float = 0.1):
        super().__init__(params, {"lr": lr})


def test_an_optimizer_that_cannot_be_divided_is_refused(monkeypatch):
    monkeypatch.setattr(dg.optim, "Unlike", Unlike, raising=False)
    config = tiny_config(SHARDED, "optimizer.name=distgrad.optim:Unlike")
    expected = r"^optimizer distgrad\.optim:Unlike: Unlike cannot be sharded: "
    with pytest.raises(UsageError, match=expected):
        Trainer(config, SingleProcess())
