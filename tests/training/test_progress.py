import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.training.config import TrainingConfig
from distgrad.training.progress import Progress
from distgrad.training.step_report import StepReport

LIMITS = TrainingConfig(loss="mse", max_steps=99)

positive = st.floats(1e-300, 1e300)


def report(step, loss, epoch=1, count=8.0):
    return StepReport(step, epoch, loss, 1e-3, 8, count, 0.1)


def after_epochs(losses):
    """Progress through epochs of one step each."""
    progress = Progress()
    for step, loss in enumerate(losses, start=1):
        progress.add(report(step, loss, epoch=step), LIMITS, ends_epoch=True)
        yield progress


@pytest.mark.parametrize(
    ("limits", "epochs"),
    [
        ({"max_epochs": 3}, 3),
        ({"max_steps": 2}, 2),
        ({"max_steps": 9}, None),
        ({"target_loss": 0.5}, 2),
        ({"target_loss": 0.1}, None),
        ({"patience": 1}, 3),  # 0.5 again is no progress
        ({"patience": 2}, 4),
        ({"patience": 3}, None),  # 0.4 begins anew
        ({"patience": 2, "max_epochs": 3}, 3),
        ({"target_loss": 0.5, "patience": 1}, 2),
    ],
)
def test_the_first_condition_that_holds_ends_the_run(limits, epochs):
    losses = [0.9, 0.5, 0.5, 0.6, 0.4]
    config = TrainingConfig(loss="mse", **limits)
    over = (p.epochs for p in after_epochs(losses) if p.is_over(config))
    assert next(over, None) == epochs


def test_nothing_is_over_before_it_has_begun():
    limits = TrainingConfig(loss="mse", max_steps=1, max_epochs=1, target_loss=9.0, patience=1)
    assert not Progress().is_over(limits)


def test_a_limit_that_was_passed_long_ago_holds():
    *_, progress = after_epochs([0.9, 0.8, 0.7])
    assert progress.is_over(TrainingConfig(loss="mse", max_steps=2))
    assert progress.is_over(TrainingConfig(loss="mse", max_epochs=1))


def test_the_loss_of_an_epoch_is_the_mean_over_what_its_windows_count():
    progress = Progress()
    progress.add(report(1, 1.0, count=3.0), LIMITS, ends_epoch=False)
    assert (progress.steps, progress.epochs, progress.position) == (1, 0, 1)
    assert progress.epoch_loss is None
    progress.add(report(2, 5.0, count=1.0), LIMITS, ends_epoch=True)
    assert (progress.steps, progress.epochs, progress.position) == (2, 1, 0)
    assert progress.epoch_loss == 2.0
    assert (progress.samples, progress.seconds) == (16, 0.2)


def test_the_best_step_is_the_first_of_the_least_test_loss():
    progress = Progress()
    for step, loss in enumerate([3.0, 1.0, 2.0, 1.0], start=1):
        progress.add(report(step, 1.0), LIMITS, ends_epoch=False)
        progress.add_evaluation({"loss": loss}, LIMITS)
    assert (progress.best_step, progress.tested.value) == (2, 1.0)
    assert progress.last.test == {"loss": 1.0}


@pytest.mark.parametrize(
    ("limits", "ends_epoch", "due"),
    [
        ({}, True, False),
        ({"evaluate_every_steps": 3}, False, True),
        ({"evaluate_every_steps": 2}, False, False),
        ({"evaluate_every_epochs": 1}, True, True),
        ({"evaluate_every_epochs": 1}, False, False),
        ({"evaluate_every_epochs": 2}, True, False),
        ({"evaluate_every_epochs": 2, "evaluate_every_steps": 3}, True, True),
    ],
)
def test_when_an_evaluation_is_due(limits, ends_epoch, due):
    limits = TrainingConfig(loss="mse", max_steps=9, **limits)
    progress = Progress()
    assert not progress.evaluation_is_due(limits)
    for step in (1, 2, 3):
        progress.add(report(step, 1.0), limits, ends_epoch=ends_epoch and step == 3)
    assert progress.evaluation_is_due(limits) is due
    progress.add_evaluation({"loss": 1.0}, limits)
    assert not progress.evaluation_is_due(limits)


@given(st.lists(st.tuples(positive, st.booleans(), st.none() | positive), max_size=8))
def test_json_keeps_every_bit(steps):
    progress = Progress()
    for step, (loss, ends_epoch, test) in enumerate(steps, start=1):
        progress.add(report(step, loss), LIMITS, ends_epoch)
        if test is not None:
            progress.add_evaluation({"loss": test, "accuracy": 1 / 3}, LIMITS)
    text = json.dumps(progress.as_state(), allow_nan=False)
    assert Progress.from_state(json.loads(text)) == progress
