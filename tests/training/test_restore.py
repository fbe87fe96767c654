"""Training goes on from a checkpoint as if it had never stopped."""

from functools import cache

import numpy as np
import pytest
from helpers.resuming import VARIANTS, broken_off, ended, through_the_disk, trained, variant

import distgrad as dg
from distgrad.distributed import SingleProcess
from distgrad.errors import Interrupted, TrainingError, UsageError
from distgrad.training import Trainer
from distgrad.training.checkpoint import Checkpoint

ALONE = SingleProcess()


@cache
def undisturbed(name):
    trainer = Trainer(variant(name), ALONE)
    return trained(trainer), ended(trainer)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("name", VARIANTS)
def test_the_same_to_the_last_bit(name, step):
    assert broken_off(variant(name), step, ALONE, ALONE) == undisturbed(name)


@pytest.mark.parametrize("name", ["adamw", "cnn", "stream"])
def test_a_run_that_was_over(name):
    assert broken_off(variant(name), 6, ALONE, ALONE) == undisturbed(name)


def test_the_variants_are_what_they_are_for():
    steps = {name: len(undisturbed(name)[0]) for name in VARIANTS}
    assert steps["max steps"] == 5
    assert 6 <= steps["patience"] < 18
    assert 6 <= steps["target"] < 60
    assert steps["cnn"] == steps["stream"] == 6
    assert 6 <= steps["patience of evaluations"] < 27
    assert steps["ended by a callback"] == 6  # of 140 samples
    rates = [row["lr"] for row in undisturbed("plateau of evaluations")[0]]
    assert 1 < len(set(rates)) < 6


def test_a_run_can_be_broken_off_again_and_again():
    checkpoint = None
    for step in range(1, 7):
        trainer = Trainer(variant("cnn"), ALONE)
        if checkpoint:
            trainer.restore(checkpoint)
        trained(trainer, step)
        checkpoint = through_the_disk(trainer.checkpoint(), ALONE)
    assert ended(trainer) == undisturbed("cnn")[1]


def test_a_trainer_goes_back_to_where_it_was():
    trainer = Trainer(variant("cnn"), ALONE)
    trained(trainer, 3)
    checkpoint = through_the_disk(trainer.checkpoint(), ALONE)
    trained(trainer)
    trainer.restore(checkpoint)
    rows, end = undisturbed("cnn")
    assert trained(trainer) == rows[2:]
    assert ended(trainer) == end


# Where a stop is asked for


def stop_at(trainer, step):
    """Train, and ask for a stop just before a step."""
    if step == 1:
        trainer.model.request_stop()
    for report in trainer.steps():
        if report.step == step - 1:
            trainer.model.request_stop()


@pytest.mark.parametrize("name", ["cnn", "patience"])
@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_stop_leaves_out_the_evaluation_and_no_more(name, step):
    trainer = Trainer(variant(name), ALONE)
    with pytest.raises(Interrupted):
        stop_at(trainer, step)
    assert trainer.progress.steps == step
    assert trainer.progress.last.test is None
    again = Trainer(variant(name), ALONE)
    again.restore(through_the_disk(trainer.checkpoint(), ALONE))
    rows, end = undisturbed(name)
    assert trained(again) == rows[step - 1 :]
    assert ended(again) == end


def test_the_step_at_which_it_stops_is_reported():
    trainer = Trainer(variant("cnn"), ALONE)
    trainer.model.request_stop()
    steps = trainer.steps()
    assert next(steps).step == 1
    with pytest.raises(Interrupted, match=r"^asked to stop after step 1$"):
        next(steps)


def test_a_stop_that_comes_with_the_last_step_leaves_a_run_that_is_over():
    trainer = Trainer(variant("adamw"), ALONE)
    for report in trainer.steps():
        if report.step == 5:
            trainer.model.request_stop()
    assert report.step == 6
    with pytest.raises(Interrupted):
        trainer.evaluate()


def test_a_run_that_is_over_reports_its_last_step_again():
    trainer = Trainer(variant("adamw"), ALONE)
    rows = trained(trainer)
    assert trained(trainer) == rows[-1:]


# What does not fit


def checkpoint_of(*assignments):
    trainer = Trainer(variant("adamw", "training.max_steps=2", *assignments), ALONE)
    trained(trainer)
    return trainer.checkpoint()


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (
            ["model.sizes=[1, 4, 1]"],
            "the checkpoint does not fit the model: 0.weight is float32 of shape (8, 1) in the "
            "model and float32 of shape (4, 1) in the checkpoint; ",
        ),
        (
            ["model.sizes=[1, 1]"],
            "the checkpoint does not fit the model: 3.weight is missing; 3.bias is missing; ",
        ),
        (
            ["model.sizes=[1, 8, 8, 1]"],
            "6.weight is not in the model; 6.bias is not in the model; ",
        ),
        (
            ["training.weight_decay_on=matrices"],
            "the checkpoint does not fit the optimizer: the loaded state has parameter groups of "
            "[2, 2] parameters, but the optimizer has groups of [4]",
        ),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(assignments, message):
    trainer = Trainer(variant("adamw"), ALONE)
    before = [parameter.data.copy() for parameter in trainer.model.parameters()]
    with pytest.raises(UsageError) as raised:
        trainer.restore(checkpoint_of(*assignments))
    assert message in str(raised.value)
    if "the model" in message:
        for parameter, values in zip(trainer.model.parameters(), before, strict=True):
            np.testing.assert_array_equal(parameter.data, values)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (None, "ema={}", "does not fit: the average is not in the checkpoint"),
        (
            "callbacks=[{name = 'helpers.resuming:Enough', samples = 9}]",
            None,
            "does not fit: the callback 0 (helpers.resuming:Enough) is not in the run",
        ),
        (
            None,
            "callbacks=[{name = 'helpers.resuming:Enough', samples = 9}]",
            "does not fit: the callback 0 (helpers.resuming:Enough) is not in the checkpoint",
        ),
    ],
)
def test_what_has_a_state_is_in_both(before, after, message):
    checkpoint = checkpoint_of(*([f"training.{before}"] if before else []))
    trainer = Trainer(variant("adamw", *([f"training.{after}"] if after else [])), ALONE)
    with pytest.raises(UsageError) as raised:
        trainer.restore(checkpoint)
    assert message in str(raised.value)


def test_another_data_type_is_refused():
    checkpoint = checkpoint_of()
    model = {name: array.astype(np.float64) for name, array in checkpoint.arrays["model"].items()}
    other = Checkpoint(2, {**checkpoint.arrays, "model": model}, checkpoint.state)
    with pytest.raises(UsageError, match=r"0\.weight is float32 .* and float64 of shape"):
        Trainer(variant("adamw"), ALONE).restore(other)


@pytest.mark.parametrize("layout", [{}, {"layout": 1}])
def test_another_layout_is_refused(layout):
    trainer = Trainer(variant("adamw"), ALONE)
    with pytest.raises(UsageError) as raised:
        trainer.restore(Checkpoint(2, {}, layout))
    assert str(raised.value) == (
        f"the checkpoint has layout {layout.get('layout')}, and this version of distgrad knows "
        "layout 2; go on with the version that has written it, or begin another run with --run-dir"
    )


def test_a_stream_that_has_become_shorter(monkeypatch):
    trainer = Trainer(variant("stream"), ALONE)
    trained(trainer, 2)
    second = Trainer(variant("stream"), ALONE)
    second.restore(trainer.checkpoint())
    short = list(second.split.train)[:30]
    second.split.train.__class__ = type("Short", (), {"__iter__": lambda _: iter(short)})
    with pytest.raises(TrainingError) as raised:
        trained(second)
    assert str(raised.value) == (
        "epoch 1 had more than 2 global batches when the run was interrupted in it, and has no "
        "more now: the data has changed"
    )


def test_buffers_come_back_even_those_that_are_not_saved_with_the_weights():
    first, second = (Trainer(variant("adamw"), ALONE) for _ in range(2))
    for trainer in (first, second):
        trainer.model.module.register_buffer("seen", dg.zeros(()), persistent=False)
    first.model.module.seen = dg.arange(3)  # in training it has taken another shape
    trained(first, 1)
    second.restore(through_the_disk(first.checkpoint(), ALONE))
    assert second.model.module.seen.tolist() == [0, 1, 2]
