import copy
import math

import pytest
from helpers.scheduling import optimizer_of, rates_of, torch_optimizer

import distgrad as dg
from distgrad import nn, optim
from distgrad.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

CLOSED_FORMS = [
    (lambda o: StepLR(o, 3, gamma=0.5), lambda e: 0.5 ** (e // 3)),
    (lambda o: LinearLR(o, 0.1, 0.7, 5), lambda e: 0.1 + 0.6 * min(e, 5) / 5),
    (LinearLR, lambda e: (1 + 2 * min(e, 5) / 5) / 3),
    (lambda o: CosineAnnealingLR(o, 7), lambda e: (1 + math.cos(math.pi * e / 7)) / 2),
    (lambda o: MultiStepLR(o, [2, 5, 5], gamma=0.5), lambda e: 0.5 ** ((e >= 2) + 2 * (e >= 5))),
    (lambda o: ExponentialLR(o, 0.9), lambda e: 0.9**e),
    (lambda o: ConstantLR(o, 0.25, 4), lambda e: 0.25 if e < 4 else 1.0),
    (lambda o: ConstantLR(o, 0.0, 4), lambda e: 0.0 if e < 4 else 1.0),
    (lambda o: PolynomialLR(o, 6, 2.0), lambda e: (1 - min(e, 6) / 6) ** 2),
    (
        lambda o: CosineAnnealingWarmRestarts(o, 4),
        lambda e: (1 + math.cos(math.pi * (e % 4) / 4)) / 2,
    ),
    (
        lambda o: CosineAnnealingWarmRestarts(o, 2, T_mult=3),
        lambda e: (
            (1 + math.cos(math.pi * (e / 2 if e < 2 else (e - 2) / 6 if e < 8 else (e - 8) / 18)))
            / 2
        ),
    ),
    (lambda o: LambdaLR(o, lambda e: 1 / (1 + e)), lambda e: 1 / (1 + e)),
    (lambda o: MultiplicativeLR(o, lambda e: e / (1 + e)), lambda e: 1 / (1 + e)),
]


@pytest.mark.parametrize(("make", "factor"), CLOSED_FORMS)
def test_the_rates_follow_the_closed_form(make, factor):
    rates = rates_of(make(optimizer_of(0.5, 2.0)), 16)
    for epoch, (first, second) in enumerate(rates):
        assert first == pytest.approx(0.5 * factor(epoch), rel=1e-12, abs=1e-15)
        assert second == pytest.approx(2.0 * factor(epoch), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("make", "factor"), CLOSED_FORMS[:-1])
def test_a_schedule_goes_to_any_epoch(make, factor):
    scheduler = make(optimizer_of(0.5, 2.0))
    for epoch in (3, 11, 5, 6):
        scheduler.step(epoch)
        assert scheduler.last_epoch == epoch
        expected = [0.5 * factor(epoch), 2.0 * factor(epoch)]
        assert scheduler.get_last_lr() == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_warm_restarts_may_go_between_two_epochs():
    scheduler = CosineAnnealingWarmRestarts(optimizer_of(1.0), 2, T_mult=2, eta_min=0.5)
    scheduler.step(3.5)
    height = (1 + math.cos(math.pi * 1.5 / 4)) / 2
    assert scheduler.get_last_lr() == pytest.approx([0.5 + 0.5 * height])
    assert scheduler.last_epoch == 3
    with pytest.raises(ValueError, match="the epoch must not be negative, got -1"):
        scheduler.step(-1)


def test_cosine_ends_at_its_minimum():
    rates = rates_of(CosineAnnealingLR(optimizer_of(1.0), 4, eta_min=0.2), 9)
    assert rates[4] == pytest.approx([0.2])
    assert rates[8] == pytest.approx([1.0])


CASES = [
    ("StepLR", {"step_size": 3, "gamma": 0.7}),
    ("StepLR", {"step_size": 1}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.25, "end_factor": 0.5, "total_iters": 7}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 4}),
    ("CosineAnnealingLR", {"T_max": 7}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingLR", {"T_max": 10, "eta_min": 0.01}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.5}),
    ("ConstantLR", {"factor": 0.3, "total_iters": 4}),
    ("ConstantLR", {}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 9, "power": 2.0}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.95**epoch}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.95}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_rates_are_torchs(name, options):
    torch = pytest.importorskip("torch")
    ours = getattr(optim.lr_scheduler, name)(optimizer_of(0.5, 2.0), **options)
    theirs = getattr(torch.optim.lr_scheduler, name)(torch_optimizer(torch, 0.5, 2.0), **options)
    for a, b in zip(rates_of(ours, 30), rates_of(theirs, 30), strict=True):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_resuming_at_an_epoch_is_torchs(name, options):
    torch = pytest.importorskip("torch")
    rates = []
    for library, optimizer in [
        (optim.lr_scheduler, optimizer_of(0.5)),
        (torch.optim.lr_scheduler, torch_optimizer(torch, 0.5)),
    ]:
        optimizer.param_groups[0].update(initial_lr=0.5, lr=0.3)
        rates.append(rates_of(getattr(library, name)(optimizer, **options, last_epoch=4), 12))
    assert [r[0] for r in rates[0]] == pytest.approx([r[0] for r in rates[1]], rel=1e-12)


def test_schedules_of_one_optimizer_multiply():
    optimizer = optimizer_of(1.0)
    warmup, decay = LinearLR(optimizer, 0.5, total_iters=2), StepLR(optimizer, 2, gamma=0.1)
    rates = []
    for _ in range(5):
        rates.append(optimizer.param_groups[0]["lr"])
        warmup.step()
        decay.step()
    assert rates == pytest.approx([0.5, 0.75, 0.1, 0.1, 0.01])


@pytest.mark.parametrize(("make", "factor"), CLOSED_FORMS)
def test_a_saved_schedule_goes_on(make, factor):
    whole = rates_of(make(optimizer_of(0.5)), 12)
    scheduler = make(optimizer_of(0.5))
    rates = rates_of(scheduler, 5)
    later = make(optimizer_of(0.5))
    later.load_state_dict(scheduler.state_dict())
    later.optimizer.load_state_dict(scheduler.optimizer.state_dict())
    assert rates + rates_of(later, 7) == whole


OF_TORCH = {"_is_initial", "_get_lr_called_within_step"}  # how its warnings are made


@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_state_is_torchs_and_goes_on_there_and_here(name, options):
    torch = pytest.importorskip("torch")
    ours = getattr(optim.lr_scheduler, name)(optimizer_of(0.5), **options)
    theirs = getattr(torch.optim.lr_scheduler, name)(torch_optimizer(torch, 0.5), **options)
    rates_of(ours, 4)
    rates_of(theirs, 4)
    first, second = ours.state_dict(), theirs.state_dict()
    assert first.keys() == second.keys() - OF_TORCH
    for key, value in first.items():
        assert value == pytest.approx(second[key]) or value == second[key], key
    ours.load_state_dict(copy.deepcopy(second))
    theirs.load_state_dict(copy.deepcopy(first))
    for a, b in zip(rates_of(ours, 10), rates_of(theirs, 10), strict=True):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-300)


def test_a_schedule_of_ones_own():
    class Halving(LRScheduler):
        def get_lr(self):
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    scheduler = Halving(optimizer_of(1.0, 3.0))
    assert rates_of(scheduler, 3) == [[1.0, 3.0], [0.5, 1.5], [1 / 3, 1.0]]
    assert scheduler.last_epoch == 3
    with pytest.raises(NotImplementedError, match=r"LRScheduler does not define get_lr\(\)"):
        LRScheduler(optimizer_of(1.0))


class Power:
    """A factor that remembers something."""

    def __init__(self, base):
        self.base = base

    def __call__(self, epoch):
        return self.base**epoch


def test_what_a_function_remembers_is_saved_and_a_function_is_not():
    scheduler = LambdaLR(optimizer_of(1.0, 1.0), [Power(0.5), lambda epoch: 1.0])
    state = scheduler.state_dict()
    assert state["lr_lambdas"] == [{"base": 0.5}, None]
    later = LambdaLR(optimizer_of(1.0, 1.0), [Power(0.9), lambda epoch: 1.0])
    later.load_state_dict(state)
    later.step()
    assert later.get_last_lr() == [0.5, 1.0]
    assert state["lr_lambdas"] == [{"base": 0.5}, None]


def test_errors_of_functions():
    for kind in (LambdaLR, MultiplicativeLR):
        with pytest.raises(ValueError, match=r"there are 2 functions for 1 parameter groups; give"):
            kind(optimizer_of(1.0), [Power(1), Power(2)])
        with pytest.raises(TypeError, match="must be a function of the epoch, but got float"):
            kind(optimizer_of(1.0), 0.5)
        with pytest.raises(TypeError, match="Linear is not an Optimizer"):
            kind(nn.Linear(1, 1), Power(1))


def test_errors():
    with pytest.raises(TypeError, match="Linear is not an Optimizer"):
        StepLR(nn.Linear(1, 1), 1)
    with pytest.raises(KeyError, match=r"'initial_lr' is not specified in param_groups\[0\]"):
        StepLR(optimizer_of(1.0), 1, last_epoch=3)
    for make, message in [
        (lambda o: StepLR(o, 0), "step_size must be at least 1, got 0"),
        (lambda o: CosineAnnealingLR(o, 0), "T_max must be at least 1, got 0"),
        (lambda o: LinearLR(o, 0), "start_factor must be above 0 and at most 1, got 0"),
        (lambda o: LinearLR(o, end_factor=2), "end_factor must be from 0 to 1, got 2"),
        (lambda o: LinearLR(o, total_iters=0), "total_iters must be at least 1, got 0"),
        (lambda o: PolynomialLR(o, 0), "total_iters must be at least 1, got 0"),
        (lambda o: ConstantLR(o, 1.5), "factor must be from 0 to 1, got 1.5"),
        (lambda o: CosineAnnealingWarmRestarts(o, 0), "T_0 must be an integer above 0, got 0"),
        (lambda o: CosineAnnealingWarmRestarts(o, 1, 0.5), "T_mult must be an integer above 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            make(optimizer_of(1.0))


@pytest.mark.parametrize("kind", ["StepLR", "LinearLR", "CosineAnnealingLR", "SequentialLR"])
def test_a_group_that_is_added_later_keeps_its_learning_rate(kind):
    first, second = (dg.nn.Parameter(dg.zeros(1)) for _ in range(2))
    optimizer = dg.optim.SGD([first], lr=1.0)
    schedules = dg.optim.lr_scheduler
    scheduler = {
        "StepLR": lambda: schedules.StepLR(optimizer, 1, 0.5),
        "LinearLR": lambda: schedules.LinearLR(optimizer, 1.0, 0.0, 4),
        "CosineAnnealingLR": lambda: schedules.CosineAnnealingLR(optimizer, 4),
        "SequentialLR": lambda: schedules.SequentialLR(
            optimizer,
            [schedules.LinearLR(optimizer, 1.0, 0.5, 2), schedules.StepLR(optimizer, 1, 0.5)],
            [1],
        ),
    }[kind]()
    optimizer.add_param_group({"params": [second], "lr": 0.125})
    for _ in range(3):
        scheduler.step()
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates[0] < 1.0
    assert rates[1] == 0.125
    assert scheduler.get_last_lr() == rates[:1]
