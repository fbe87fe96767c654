import math

import pytest

import distgrad as dg
from distgrad import nn, optim
from distgrad.optim.lr_scheduler import (
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    SequentialLR,
    StepLR,
)


def optimizer_of(*rates):
    groups = [{"params": [nn.Parameter(dg.zeros(1))], "lr": rate} for rate in rates]
    return optim.SGD(groups, lr=9.0)


def rates_of(scheduler, epochs):
    rates = []
    for _ in range(epochs):
        rates.append(scheduler.get_last_lr())
        scheduler.optimizer.step()
        scheduler.step()
    return rates


CLOSED_FORMS = [
    (lambda o: StepLR(o, 3, gamma=0.5), lambda e: 0.5 ** (e // 3)),
    (lambda o: LinearLR(o, 0.1, 0.7, 5), lambda e: 0.1 + 0.6 * min(e, 5) / 5),
    (LinearLR, lambda e: (1 + 2 * min(e, 5) / 5) / 3),
    (lambda o: CosineAnnealingLR(o, 7), lambda e: (1 + math.cos(math.pi * e / 7)) / 2),
]


@pytest.mark.parametrize(("make", "factor"), CLOSED_FORMS)
def test_the_rates_follow_the_closed_form(make, factor):
    rates = rates_of(make(optimizer_of(0.5, 2.0)), 16)
    for epoch, (first, second) in enumerate(rates):
        assert first == pytest.approx(0.5 * factor(epoch), rel=1e-12, abs=1e-15)
        assert second == pytest.approx(2.0 * factor(epoch), rel=1e-12, abs=1e-15)


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
]


def torch_optimizer(torch, *rates):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=9.0)


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


def test_the_state_is_torchs_but_for_the_optimizer():
    torch = pytest.importorskip("torch")
    ours = StepLR(optimizer_of(0.5), 3).state_dict()
    theirs = torch.optim.lr_scheduler.StepLR(torch_optimizer(torch, 0.5), 3).state_dict()
    assert ours == {key: theirs[key] for key in ours}


def test_a_schedule_of_ones_own():
    class Halving(LRScheduler):
        def get_lr(self):
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    scheduler = Halving(optimizer_of(1.0, 3.0))
    assert rates_of(scheduler, 3) == [[1.0, 3.0], [0.5, 1.5], [1 / 3, 1.0]]
    assert scheduler.last_epoch == 3
    with pytest.raises(NotImplementedError, match=r"LRScheduler does not define get_lr\(\)"):
        LRScheduler(optimizer_of(1.0))


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


def test_errors_of_schedules_one_after_the_other():
    optimizer = optimizer_of(1.0)
    step = StepLR(optimizer, 1)
    with pytest.raises(ValueError, match="expects at least one scheduler, but got none"):
        SequentialLR(optimizer, [], [])
    with pytest.raises(ValueError, match="but StepLR at index 1 has another; make it for this one"):
        SequentialLR(optimizer, [step, StepLR(optimizer_of(1.0), 1)], [1])
    with pytest.raises(ValueError, match=r"but got 2 for 1 schedulers; give the epoch"):
        SequentialLR(optimizer, [step], [1, 2])


def test_errors():
    with pytest.raises(TypeError, match="Linear is not an Optimizer"):
        StepLR(nn.Linear(1, 1), 1)
    with pytest.raises(KeyError, match=r"'initial_lr' is not specified in param_groups\[0\]"):
        StepLR(optimizer_of(1.0), 1, last_epoch=3)
    with pytest.raises(ValueError, match="step_size must be at least 1, got 0"):
        StepLR(optimizer_of(1.0), 0)
    with pytest.raises(ValueError, match="T_max must be at least 1, got 0"):
        CosineAnnealingLR(optimizer_of(1.0), 0)
    with pytest.raises(ValueError, match="start_factor must be above 0 and at most 1, got 0"):
        LinearLR(optimizer_of(1.0), 0)
    with pytest.raises(ValueError, match="end_factor must be from 0 to 1, got 2"):
        LinearLR(optimizer_of(1.0), end_factor=2)
    with pytest.raises(ValueError, match="total_iters must be at least 1, got 0"):
        LinearLR(optimizer_of(1.0), total_iters=0)


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
