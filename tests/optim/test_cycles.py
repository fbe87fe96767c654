"""Schedules that change the learning rate up and down, and the momentum against it."""

import copy
import math

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn, optim
from distgrad.optim.lr_scheduler import CyclicLR, OneCycleLR


def optimizer_of(library, name, rates=(0.5, 2.0)):
    zeros = dg.zeros if library is dg else library.zeros
    groups = [{"params": [library.nn.Parameter(zeros(1))], "lr": rate} for rate in rates]
    options = {"momentum": 0.5} if name == "SGD" else {}
    return getattr(library.optim, name)(groups, **options)


def values(optimizer):
    """The learning rate and the momentum of each group."""
    return [
        (g["lr"], g["momentum"] if "momentum" in g else g["betas"][0])
        for g in optimizer.param_groups
    ]


CASES = [
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 20}),
    (
        "OneCycleLR",
        {
            "max_lr": [0.1, 0.2],
            "epochs": 4,
            "steps_per_epoch": 5,
            "anneal_strategy": "linear",
            "three_phase": True,
            "base_momentum": [0.5, 0.6],
        },
    ),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 25, "cycle_momentum": False, "pct_start": 0.0}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4}),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.1,
            "step_size_up": 4,
            "step_size_down": 3,
            "mode": "triangular2",
        },
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": [0.1, 0.3],
            "step_size_up": 4,
            "mode": "exp_range",
            "gamma": 0.9,
            "cycle_momentum": False,
        },
    ),
    (
        "CyclicLR",
        {
            "base_lr": [0.01, 0.02],
            "max_lr": 0.1,
            "step_size_up": 4,
            "scale_fn": lambda x: 0.9**x,
            "scale_mode": "iterations",
        },
    ),
]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_rates_momenta_and_states_are_torchs(name, options, optimizer):
    torch = pytest.importorskip("torch")
    pairs = []
    for library in (dg, torch):
        made = optimizer_of(library, optimizer)
        pairs.append((made, getattr(library.optim.lr_scheduler, name)(made, **options)))
    (ours, schedule), (theirs, schedule_of_torch) = pairs
    for step in range(20):
        np.testing.assert_allclose(values(ours), values(theirs), rtol=1e-12)
        np.testing.assert_allclose(
            schedule.get_last_lr(), schedule_of_torch.get_last_lr(), rtol=1e-12
        )
        if step == 8:
            first, second = schedule.state_dict(), schedule_of_torch.state_dict()
            assert first.keys() == second.keys() - {"_is_initial", "_get_lr_called_within_step"}
            schedule.load_state_dict(copy.deepcopy(second))
            schedule_of_torch.load_state_dict(copy.deepcopy(first))
        for _, (made, following) in enumerate(pairs):
            made.step()
            following.step()


def test_one_cycle_by_its_formula():
    optimizer = optimizer_of(dg, "SGD", [1.0])
    scheduler = OneCycleLR(
        optimizer, 1.0, total_steps=11, pct_start=5 / 11, div_factor=4, final_div_factor=10,
        base_momentum=0.6, max_momentum=0.9,
    )  # fmt: skip
    found = []
    for _ in range(11):
        found.append(values(optimizer)[0])
        optimizer.step()
        scheduler.step()

    def between(start, end, share):
        return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

    rise = [(between(0.25, 1.0, s / 4), between(0.9, 0.6, s / 4)) for s in range(5)]
    fall = [(between(1.0, 0.025, s / 6), between(0.6, 0.9, s / 6)) for s in range(1, 7)]
    np.testing.assert_allclose(found, rise + fall, rtol=1e-12)


def test_cycles_by_their_formula():
    optimizer = optimizer_of(dg, "Adam", [1.0])
    scheduler = CyclicLR(optimizer, 0.5, 1.0, 2, 4, mode="triangular2", base_momentum=0.8)
    found = []
    for _ in range(12):
        found.append(values(optimizer)[0])
        optimizer.step()
        scheduler.step()
    heights = [0, 0.5, 1, 0.75, 0.5, 0.25]
    heights += [height / 2 for height in heights]
    np.testing.assert_allclose(found, [(0.5 + 0.5 * h, 0.9 - 0.1 * h) for h in heights], rtol=1e-12)


def test_a_cycle_that_goes_on_from_a_checkpoint():
    made = [OneCycleLR(optimizer_of(dg, "SGD"), 0.1, total_steps=9) for _ in range(2)]
    first, second = made
    for _ in range(4):
        first.step()
    second.load_state_dict(first.state_dict())
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    for _ in range(5):
        first.step()
        second.step()
        assert values(first.optimizer) == values(second.optimizer)


def test_more_steps_than_the_cycle_has():
    scheduler = OneCycleLR(optimizer_of(dg, "SGD"), 0.1, total_steps=2)
    scheduler.step()
    scheduler.step()
    with pytest.raises(ValueError, match="the cycle has 2 steps, and this would be the 3th; give"):
        scheduler.step()


def one(**options):
    return lambda optimizer: OneCycleLR(optimizer, **{"max_lr": 0.1, "total_steps": 5, **options})


def cyclic(**options):
    return lambda optimizer: CyclicLR(optimizer, **{"base_lr": 0.1, "max_lr": 1.0, **options})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (one(total_steps=0), "total_steps must be an integer above 0, got 0"),
        (one(total_steps=None), "give total_steps, or both epochs and steps_per_epoch"),
        (one(total_steps=None, epochs=0, steps_per_epoch=1), "epochs must be an integer above 0"),
        (one(total_steps=None, epochs=1, steps_per_epoch=1.5), "steps_per_epoch must be an integ"),
        (one(pct_start=1.5), "pct_start must be from 0 to 1, got 1.5"),
        (one(anneal_strategy="log"), "anneal_strategy must be 'cos' or 'linear', got 'log'"),
        (one(max_lr=[0.1]), "max_lr has 1 values, but the optimizer has 2 parameter groups"),
        (one(max_momentum=[0.1]), "max_momentum has 1 values, but the optimizer has 2 param"),
        (cyclic(mode="square"), "mode must be 'triangular', 'triangular2' or 'exp_range', got 'sq"),
        (cyclic(base_lr=[0.1]), "base_lr has 1 values, but the optimizer has 2 parameter groups"),
    ],
)
def test_arguments_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make(optimizer_of(dg, "SGD"))


@pytest.mark.parametrize("make", [one(), cyclic()])
def test_what_is_no_optimizer_or_has_no_momentum(make):
    with pytest.raises(TypeError, match="Linear is not an Optimizer"):
        make(nn.Linear(1, 1))
    with pytest.raises(ValueError, match="Adagrad has neither; pass cycle_momentum=False"):
        make(optim.Adagrad(nn.Linear(1, 1).parameters()))
