"""Every optimizer and schedule in a run, and what a run makes of schedules of others."""

import math

import numpy as np
import pytest
from helpers.configs import tiny_config

from distgrad.distributed import SingleProcess
from distgrad.errors import UsageError
from distgrad.optim.lr_scheduler import ReduceLROnPlateau
from distgrad.training import Trainer, parse_config
from distgrad.training.registry import BUILT_IN
from distgrad.training.toml import dumps

SCHEDULERS = {
    "chained": ["schedulers=[{name = 'exponential', gamma = 0.9}, {name = 'constant'}]"],
    "constant": [],
    "cosine": ["T_max=4"],
    "cosine_warm_restarts": ["T_0=2"],
    "cyclic": ["base_lr=1e-3", "max_lr=1e-2", "step_size_up=2"],
    "exponential": ["gamma=0.9"],
    "lambda": ["lr_lambda=math:exp"],
    "linear": [],
    "multiplicative": ["lr_lambda=math:sqrt"],
    "multistep": ["milestones=[2, 4]"],
    "one_cycle": ["max_lr=[0.1]"],
    "polynomial": [],
    "reduce_on_plateau": ["patience=0", "threshold=0.5"],
    "sequential": [
        "schedulers=[{name = 'linear'}, {name = 'warmup_cosine', warmup_steps = 1, steps = 3}]",
        "milestones=[3]",
    ],
    "step": ["step_size=2"],
    "warmup_cosine": ["warmup_steps=2"],
}


def trainer_of(*assignments):
    return Trainer(tiny_config(*assignments), SingleProcess())


def scheduled(name, *assignments):
    words = SCHEDULERS[name] + list(assignments)
    return trainer_of(f"scheduler.name={name}", *(f"scheduler.{word}" for word in words))


def weights(trainer):
    return [p.data.copy() for p in trainer.model.parameters()]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_no_schedule_is_forgotten():
    assert set(SCHEDULERS) == set(BUILT_IN["scheduler"])


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_run_with_each_schedule_and_from_its_checkpoint(name):
    whole = scheduled(name)
    rates = [report.lr for report in whole.steps()]
    assert len(rates) == 6
    assert len(set(rates)) > 1
    assert all(math.isfinite(rate) and rate >= 0 for rate in rates)
    first, second = scheduled(name), scheduled(name)
    assert [next(steps).lr for steps in [first.steps()] for _ in range(4)] == rates[:4]
    second.restore(first.checkpoint())
    assert [report.lr for report in second.steps()][1:] == rates[4:]  # the fourth comes again
    assert same(weights(second), weights(whole))


@pytest.mark.parametrize("name", BUILT_IN["optimizer"])
def test_a_run_with_each_optimizer_and_from_its_checkpoint(name):
    sharded = "distributed.reduction=sharded"
    made = [trainer_of(f"optimizer.name={name}", *more) for more in ([], [sharded], [])]
    whole, other, later = made
    for _ in whole.steps():
        pass
    steps = other.steps()
    for _ in range(4):
        next(steps)
    later.restore(other.checkpoint())
    for trainer in (other, later):
        for _ in trainer.steps():
            pass
        assert same(weights(trainer), weights(whole))


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_resolved_configuration_is_one_again(name):
    config = scheduled(name).config
    document = config.model_dump(mode="json", exclude_none=True)
    assert dumps(document)
    assert parse_config(document) == config


def test_a_plateau_is_told_the_loss_of_each_step():
    trainer = scheduled("reduce_on_plateau", "factor=0.5", "threshold=0.0")
    reports = list(trainer.steps())
    best, rate = math.inf, 1e-2
    for report in reports:
        assert report.lr == rate
        if report.loss < best:
            best = report.loss
        else:
            rate /= 2
    assert rate < 1e-2
    assert isinstance(trainer.scheduler, ReduceLROnPlateau)
    assert trainer.scheduler.best == best


def test_a_skipped_step_says_nothing_of_a_plateau():
    trainer = trainer_of(
        "model.sizes=[4, 8, 3]",
        "training.loss=cross_entropy",
        "data.source={name = 'helpers.faulty_data:not_a_number'}",
        "training.on_nonfinite=skip",
        "scheduler.name=reduce_on_plateau",
    )
    reports = list(trainer.steps())
    finite = [report for report in reports if not report.skipped]
    assert trainer.scheduler.last_epoch == len(finite) < len(reports)


def test_one_cycle_takes_all_steps_of_the_run():
    trainer = scheduled("one_cycle")
    assert trainer.config.scheduler.arguments["steps"] == 6
    rates = [report.lr for report in trainer.steps()]
    assert max(rates) == pytest.approx(0.1, rel=0.1)
    assert rates[-1] < 1e-6


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (
            ["scheduler.name=lambda", "scheduler.lr_lambda=math:expp"],
            "= \"math:expp\": the module 'math' has no callable 'expp'; did you mean",
        ),
        (
            ["scheduler.name=multiplicative", "scheduler.lr_lambda=exp"],
            "'exp' is no import path; write it as \"package.module:callable\"",
        ),
        (
            ["scheduler.name=chained", "scheduler.schedulers=[{name = 'step'}]"],
            "]: [0].step_size: is missing",
        ),
        (
            ["scheduler.name=chained", "scheduler.schedulers=[{name = 'linear', factor = 1}]"],
            ': [0].factor: unknown key; did you mean "end_factor"?',
        ),
        (
            ["scheduler.name=chained", "scheduler.schedulers=[{name = 'linaer'}]"],
            ': [0].name = "linaer": no such scheduler; did you mean "linear"?',
        ),
    ],
)
def test_mistakes_are_found_before_anything_is_built(assignments, message):
    with pytest.raises(UsageError) as raised:
        tiny_config(*assignments)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (
            ["scheduler.name=sequential", "scheduler.schedulers=[]", "scheduler.milestones=[]"],
            "scheduler sequential: SequentialLR expects at least one scheduler",
        ),
        (
            ["scheduler.name=chained", "scheduler.schedulers=[{name = 'reduce_on_plateau'}]"],
            "scheduler chained: ChainedScheduler cannot hold ReduceLROnPlateau at index 0",
        ),
        (
            ["optimizer.name=adagrad", "scheduler.name=one_cycle", "scheduler.max_lr=1.0"],
            "scheduler one_cycle: optimizer must support momentum or beta1",
        ),
    ],
)
def test_mistakes_are_found_before_the_first_step(assignments, message):
    with pytest.raises(UsageError) as raised:
        trainer_of(*assignments)
    assert message in str(raised.value)
