"""A learning rate that falls when a number does not get better."""

import itertools
import math

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn, optim
from distgrad.optim.lr_scheduler import ReduceLROnPlateau


def optimizer_of(*rates):
    groups = [{"params": [nn.Parameter(dg.zeros(1))], "lr": rate} for rate in rates]
    return optim.SGD(groups, lr=9.0)


def rates_after(numbers, **options):
    scheduler = ReduceLROnPlateau(optimizer_of(1.0), **{"factor": 0.5, "patience": 1, **options})
    rates = []
    for number in numbers:
        scheduler.step(number)
        rates += scheduler.get_last_lr()
    return rates


@pytest.mark.parametrize(
    ("numbers", "options", "expected"),
    [
        ([3, 2, 2, 2, 2, 2], {}, [1, 1, 1, 0.5, 0.5, 0.25]),
        ([3, 2.99, 2.98, 2.97], {"threshold": 0.1}, [1, 1, 0.5, 0.5]),
        ([3, 2.8, 2.6, 2.5], {"threshold": 0.3, "threshold_mode": "abs"}, [1, 1, 1, 1]),
        ([1, 2, 3, 2, 2], {"mode": "max"}, [1, 1, 1, 1, 0.5]),
        ([-1, -2, -3], {"mode": "max"}, [1, 1, 0.5]),
        ([1, 1, 1, 1, 1, 1, 1], {"cooldown": 2}, [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]),
        ([1, 1, 1, 1, 1, 1], {"patience": 0, "min_lr": 0.3}, [1, 0.5, 0.3, 0.3, 0.3, 0.3]),
        ([1, 1, 1], {"patience": 0, "eps": 0.6}, [1, 1, 1]),
        ([math.nan, math.nan, 1, 1], {}, [1, 0.5, 0.5, 0.5]),
    ],
)
def test_when_the_rate_falls(numbers, options, expected):
    assert rates_after(numbers, **options) == pytest.approx(expected)


def test_a_tensor_is_a_number():
    scheduler = ReduceLROnPlateau(optimizer_of(1.0), patience=0, factor=0.5)
    for _ in range(2):
        scheduler.step(dg.tensor(3.0))
    assert scheduler.get_last_lr() == [0.5]
    assert scheduler.best == 3.0


@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_rates_and_the_state_are_torchs(mode):
    torch = pytest.importorskip("torch")
    numbers = np.random.default_rng(0).standard_normal(40)
    numbers[7] = math.nan
    modes = itertools.product(("rel", "abs"), (0, 2), (0.0, [0.1, 0.3]))
    for threshold_mode, cooldown, min_lr in modes:
        options = {
            "mode": mode, "threshold_mode": threshold_mode, "cooldown": cooldown,
            "min_lr": min_lr, "patience": 2, "factor": 0.5, "threshold": 0.05,
        }  # fmt: skip
        ours = optimizer_of(0.5, 2.0)
        groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": r} for r in (0.5, 2.0)]
        first = ReduceLROnPlateau(ours, **options)
        second = torch.optim.lr_scheduler.ReduceLROnPlateau(torch.optim.SGD(groups), **options)
        for number in numbers:
            first.step(number)
            second.step(number)
            assert first.get_last_lr() == second.get_last_lr()
            assert first.state_dict() == second.state_dict()
        second.load_state_dict(first.state_dict())
        first.load_state_dict(second.state_dict())


def test_a_saved_schedule_goes_on():
    numbers = [3, 2, 2, 2, 2.5, 1, 1, 1, 1]
    scheduler = ReduceLROnPlateau(optimizer_of(1.0), patience=1, factor=0.5)
    for number in numbers[:4]:
        scheduler.step(number)
    later = ReduceLROnPlateau(optimizer_of(1.0), mode="max")
    later.load_state_dict(scheduler.state_dict())
    later.optimizer.load_state_dict(scheduler.optimizer.state_dict())
    for number in numbers[4:]:
        later.step(number)
    assert later.get_last_lr() == rates_after(numbers)[-1:]


def test_groups_that_are_added_later():
    added = {"params": [nn.Parameter(dg.zeros(1))], "lr": 1.0}
    for min_lr, message in ((0.25, None), ([0.25], r"for 1; append those of the new groups to mi")):
        optimizer = optimizer_of(1.0)
        scheduler = ReduceLROnPlateau(optimizer, patience=0, factor=0.1, min_lr=min_lr)
        optimizer.add_param_group(dict(added))
        scheduler.step(1.0)
        if message:
            with pytest.raises(RuntimeError, match=message):
                scheduler.step(1.0)
            scheduler.min_lrs.append(0.5)
        scheduler.step(1.0)
        assert scheduler.get_last_lr() == [0.25, 0.5 if message else 0.25]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1.0}, "factor must be below 1, or the rate does not fall; got 1.0"),
        ({"mode": "least"}, r"mode must be one of \('min', 'max'\), got 'least'"),
        ({"threshold_mode": "x"}, r"threshold_mode must be one of \('rel', 'abs'\), got 'x'"),
        ({"min_lr": [0.1, 0.2]}, "min_lr has 2 values, but the optimizer has 1 parameter groups"),
    ],
)
def test_arguments_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        ReduceLROnPlateau(optimizer_of(1.0), **options)


def test_what_is_no_optimizer():
    with pytest.raises(TypeError, match="Linear is not an Optimizer"):
        ReduceLROnPlateau(nn.Linear(1, 1))
