"""Runs in half precision: skipped steps, and the scale of the loss in checkpoints."""

import numpy as np
import pytest
from helpers.halves import NEEDS_BFLOAT16
from helpers.resuming import ended, through_the_disk, trained, variant

from distgrad.distributed import SingleProcess
from distgrad.distributed.data_parallel.precision import LossScale
from distgrad.errors import TrainingError
from distgrad.training import Trainer

HALF = "training.precision=fp16"


def trainer(*changes, name="adamw"):
    return Trainer(variant(name, HALF, *changes), SingleProcess())


def test_a_step_that_overflows_is_skipped_and_counted():
    half = trainer()
    half.model.loss_scale.value = 2.0**40
    (row,) = trained(half, 1)
    assert row["skipped"] == "a gradient overflowed at the loss scale 1.09951e+12"
    assert row["loss_scale"] == 2.0**40
    assert np.isfinite(row["loss"])
    assert half.progress.skipped == 1
    assert half.model.loss_scale.value == 2.0**39


def test_it_trains():
    rows = trained(trainer("model.dropout=0", "training.max_epochs=6"))
    assert rows[-1]["loss"] < 0.9 * rows[0]["loss"]
    assert rows[-1]["loss_scale"] >= 256


@pytest.mark.parametrize("step", [1, 3, 4])
@pytest.mark.parametrize("name", ["adamw", "cnn"])
def test_a_run_goes_on_with_the_scale_that_it_had(name, step, monkeypatch):
    monkeypatch.setattr(LossScale, "GROWTH_INTERVAL", 2)
    straight = trainer(name=name)
    rows = trained(straight)
    first, second = trainer(name=name), trainer(name=name)
    trained(first, step)
    second.restore(through_the_disk(first.checkpoint(), SingleProcess()))
    assert trained(second)[-1] == rows[-1]
    assert ended(second) == ended(straight)
    assert vars(second.model.loss_scale) == vars(straight.model.loss_scale)
    assert len({row["loss_scale"] for row in rows}) > 2


@NEEDS_BFLOAT16
class TestBfloat16:
    """There is no scale: a run is one in float32 but for its digits."""

    CHANGES = ("training.precision=bf16",)

    def test_it_trains_about_as_float32(self):
        changes = "model.dropout=0", "training.max_epochs=6"
        single = trained(Trainer(variant("adamw", *changes), SingleProcess()))
        rows = trained(Trainer(variant("adamw", *self.CHANGES, *changes), SingleProcess()))
        assert "loss_scale" not in rows[0]
        assert rows[-1]["loss"] == pytest.approx(single[-1]["loss"], rel=0.02)
        assert rows[-1]["loss"] != single[-1]["loss"]

    @pytest.mark.parametrize("name", ["adamw", "cnn"])
    def test_a_run_goes_on(self, name):
        straight, first, second = (
            Trainer(variant(name, *self.CHANGES), SingleProcess()) for _ in range(3)
        )
        rows = trained(straight)
        trained(first, 3)
        stored = through_the_disk(first.checkpoint(), SingleProcess())
        names = {x.dtype.name for group in stored.arrays.values() for x in group.values()}
        assert names <= {"float32", "int64"}
        second.restore(stored)
        assert trained(second)[-1] == rows[-1]
        assert ended(second) == ended(straight)


def test_what_overflows_at_the_least_scale_ends_the_run():
    half = trainer()
    half.model.loss_scale.value = LossScale.LEAST
    loss = half._stepping._loss

    def with_a_root_of_0(batch):
        total, count = loss(batch)
        return total + (half.model.module[0].weight * 0).sum().sqrt(), count

    half._stepping._loss = with_a_root_of_0
    with pytest.raises(TrainingError, match="a gradient is not finite"):
        trained(half, 1)


def test_single_precision_says_nothing_of_a_scale():
    rows = trained(Trainer(variant("adamw"), SingleProcess()), 1)
    assert "loss_scale" not in rows[0]
