"""Schedules one after the other, and at the same time."""

import math

import pytest
from helpers.scheduling import optimizer_of, rates_of, torch_optimizer

from distgrad import optim
from distgrad.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    MultiplicativeLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)


def warmup_and_cosine(library, optimizer, *, nested=False):
    """A warm-up, half a cosine and steps; nested, the first two are a schedule of their own."""
    parts = [
        library.LinearLR(optimizer, 0.25, total_iters=4),
        library.CosineAnnealingLR(optimizer, 6, eta_min=0.01),
        library.StepLR(optimizer, 2, gamma=0.5),
    ]
    if not nested:
        return library.SequentialLR(optimizer, parts, [4, 10])
    first = library.SequentialLR(optimizer, parts[:2], [4])
    return library.SequentialLR(optimizer, [first, parts[2]], [10])


@pytest.mark.parametrize("nested", [False, True])
def test_schedules_one_after_the_other_begin_from_the_initial_rates(nested):
    scheduler = warmup_and_cosine(optim.lr_scheduler, optimizer_of(0.5, 2.0), nested=nested)
    rates = rates_of(scheduler, 15)
    for initial, ours in zip((0.5, 2.0), zip(*rates, strict=True), strict=True):
        warmup = [initial * (0.25 + 0.75 * epoch / 4) for epoch in range(4)]
        cosine = [
            0.01 + (initial - 0.01) * (1 + math.cos(math.pi * epoch / 6)) / 2 for epoch in range(6)
        ]
        steps = [initial * 0.5 ** (epoch // 2) for epoch in range(5)]
        assert list(ours) == pytest.approx(warmup + cosine + steps, rel=1e-12)


def test_schedules_one_after_the_other_are_torchs():
    torch = pytest.importorskip("torch")
    ours = warmup_and_cosine(optim.lr_scheduler, optimizer_of(0.5, 2.0))
    theirs = warmup_and_cosine(torch.optim.lr_scheduler, torch_optimizer(torch, 0.5, 2.0))
    for a, b in zip(rates_of(ours, 20), rates_of(theirs, 20), strict=True):
        assert a == pytest.approx(b, rel=1e-12)


@pytest.mark.parametrize("epochs", [2, 4, 7, 11])
def test_saved_schedules_one_after_the_other_go_on(epochs):
    def make():
        return warmup_and_cosine(optim.lr_scheduler, optimizer_of(0.5))

    whole = rates_of(make(), 15)
    scheduler = make()
    rates = rates_of(scheduler, epochs)
    later = make()
    later.load_state_dict(scheduler.state_dict())
    later.optimizer.load_state_dict(scheduler.optimizer.state_dict())
    assert rates + rates_of(later, 15 - epochs) == whole


def test_a_factor_for_each_epoch_goes_on_from_the_rates_that_were_left():
    optimizer = optimizer_of(1.0)
    parts = [ConstantLR(optimizer, 0.5, 10), MultiplicativeLR(optimizer, lambda epoch: 0.1)]
    rates = rates_of(SequentialLR(optimizer, parts, [2]), 4)
    assert [rate for (rate,) in rates] == pytest.approx([0.5, 0.5, 0.05, 0.005])


def chain(library, optimizer):
    return [library.LinearLR(optimizer, 0.5, total_iters=3), library.ExponentialLR(optimizer, 0.9)]


def test_schedules_at_the_same_time_multiply_as_torchs():
    ours = ChainedScheduler(chain(optim.lr_scheduler, optimizer_of(0.5, 2.0)))
    rates = rates_of(ours, 8)
    for epoch, (first, second) in enumerate(rates):
        factor = (0.5 + 0.5 * min(epoch, 3) / 3) * 0.9**epoch
        assert (first, second) == pytest.approx((0.5 * factor, 2.0 * factor))
    torch = pytest.importorskip("torch")
    schedules = torch.optim.lr_scheduler
    theirs = schedules.ChainedScheduler(chain(schedules, torch_optimizer(torch, 0.5, 2.0)))
    for a, b in zip(rates, rates_of(theirs, 8), strict=True):
        assert a == pytest.approx(b, rel=1e-12)
    assert ours.state_dict().keys() == theirs.state_dict().keys()


@pytest.mark.parametrize("first", [True, False])
def test_schedules_at_the_same_time_as_one_of_several_one_after_the_other(first):
    optimizer = optimizer_of(1.0)
    both, alone = ChainedScheduler(chain(optim.lr_scheduler, optimizer)), StepLR(optimizer, 10)
    parts = [both, alone] if first else [alone, both]
    rates = [rate for (rate,) in rates_of(SequentialLR(optimizer, parts, [3]), 6)]
    chained = [(0.5 + 0.5 * epoch / 3) * 0.9**epoch for epoch in range(3)]
    assert rates == pytest.approx(chained + [1.0] * 3 if first else [1.0] * 3 + chained)


def test_a_saved_chain_goes_on():
    def make():
        return ChainedScheduler(chain(optim.lr_scheduler, optimizer_of(0.5)))

    whole, scheduler, later = rates_of(make(), 9), make(), make()
    rates = rates_of(scheduler, 4)
    later.load_state_dict(scheduler.state_dict())
    later.optimizer.load_state_dict(scheduler.optimizer.state_dict())
    assert rates + rates_of(later, 5) == whole


@pytest.mark.parametrize("kind", [SequentialLR, ChainedScheduler])
def test_errors_of_schedules_that_are_made_of_others(kind):
    def make(optimizer, schedulers):
        if kind is ChainedScheduler:
            return ChainedScheduler(schedulers, optimizer)
        return SequentialLR(optimizer, schedulers, list(range(1, len(schedulers))))

    optimizer = optimizer_of(1.0)
    step = StepLR(optimizer, 1)
    with pytest.raises(ValueError, match="expects at least one scheduler, but got none"):
        make(optimizer, [])
    with pytest.raises(ValueError, match="but StepLR at index 1 has another; make it for this one"):
        make(optimizer, [step, StepLR(optimizer_of(1.0), 1)])
    with pytest.raises(TypeError, match="expects schedulers, but int at index 1 has no optimizer"):
        make(optimizer, [step, 3])
    with pytest.raises(ValueError, match="cannot hold ReduceLROnPlateau at index 0, which is told"):
        make(optimizer, [ReduceLROnPlateau(optimizer)])


def test_milestones_between_all_schedules():
    optimizer = optimizer_of(1.0)
    with pytest.raises(ValueError, match=r"but got 2 for 1 schedulers; give the epoch"):
        SequentialLR(optimizer, [StepLR(optimizer, 1)], [1, 2])
