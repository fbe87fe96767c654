"""Training step by step as torch: groups, clipping, accumulation, schedules, a reloaded state."""

import copy

import numpy as np
import pytest
from helpers.optimizing import for_torch

import distgrad as dg

torch = pytest.importorskip("torch")

STEPS = 50
TOLERANCE = 1e-10

OPTIMIZERS = {
    "Adadelta": {"lr": 0.5, "rho": 0.8},
    "Adagrad": {"lr": 0.05, "lr_decay": 0.01},
    "Adam": {"lr": 0.01, "amsgrad": True},
    "AdamW": {"lr": 0.01, "weight_decay": 0.1},
    "Adamax": {"lr": 0.01},
    "NAdam": {"lr": 0.01, "decoupled_weight_decay": True},
    "RAdam": {"lr": 0.01},
    "RMSprop": {"lr": 0.005, "centered": True, "momentum": 0.5},
    "SGD": {"lr": 0.05, "momentum": 0.9, "nesterov": True},
}
SCHEDULES = {
    "StepLR": {"step_size": 7, "gamma": 0.7},
    "MultiStepLR": {"milestones": [5, 20, 20, 41], "gamma": 0.6},
    "ConstantLR": {"factor": 0.5, "total_iters": 9},
    "LinearLR": {"start_factor": 0.1, "total_iters": 20},
    "ExponentialLR": {"gamma": 0.97},
    "PolynomialLR": {"total_iters": 60, "power": 2.0},
    "CosineAnnealingLR": {"T_max": 40, "eta_min": 1e-3},
    "CosineAnnealingWarmRestarts": {"T_0": 6, "T_mult": 2},
    "LambdaLR": {"lr_lambda": lambda epoch: 1 / (1 + epoch)},
    "MultiplicativeLR": {"lr_lambda": lambda epoch: 0.98},
    "OneCycleLR": {"max_lr": [0.02, 0.01], "total_steps": STEPS},
    "CyclicLR": {"base_lr": 0.001, "max_lr": 0.02, "step_size_up": 6, "mode": "triangular2"},
}


class Side:
    """A model, its optimizer and its schedule, in one of the two libraries."""

    def __init__(self, library, name, schedule=None):
        self.library, self.name, self.schedule = library, name, schedule
        nn = library.nn

        self.model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
        self.to_float64()
        self.make()

    def to_float64(self):
        generator = np.random.default_rng(3)
        for parameter in self.model.parameters():
            value = generator.standard_normal(tuple(parameter.shape))
            parameter.data = value if self.library is dg else torch.tensor(value)

    def make(self):
        weights = [p for p in self.model.parameters() if p.ndim > 1]
        biases = [p for p in self.model.parameters() if p.ndim == 1]
        options = OPTIMIZERS[self.name]
        groups = [{"params": weights}, {"params": biases, "lr": options["lr"] / 3}]
        groups[1]["weight_decay"] = 0.05
        self.optimizer = getattr(self.library.optim, self.name)(groups, **options)
        self.scheduler = None
        if self.schedule:
            make = getattr(self.library.optim.lr_scheduler, self.schedule)
            self.scheduler = make(self.optimizer, **SCHEDULES[self.schedule])

    def step(self, number):
        generator = np.random.default_rng(number)
        self.optimizer.zero_grad()
        for _ in range(4):
            x = generator.standard_normal((3, 4))
            x = dg.Tensor(x) if self.library is dg else torch.tensor(x)
            ((self.model(x) - 0.5) ** 2).mean().backward()
        if number % 3 == 1:
            self.model[0].bias.grad = None
        self.library.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        if self.scheduler:
            self.scheduler.step()

    def states(self):
        of_scheduler = self.scheduler.state_dict() if self.scheduler else None
        return copy.deepcopy((self.optimizer.state_dict(), of_scheduler))

    def load(self, states):
        """Go on with another optimizer and schedule, from a state."""
        self.make()
        of_optimizer, of_scheduler = states
        if self.library is torch:
            of_optimizer = for_torch(torch, of_optimizer)
        if self.scheduler:
            self.scheduler.load_state_dict(of_scheduler)
        self.optimizer.load_state_dict(of_optimizer)


def assert_alike(ours, theirs):
    for p, q in zip(ours.model.parameters(), theirs.model.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=0, atol=TOLERANCE)


def run(ours, theirs, steps):
    for number in steps:
        ours.step(number)
        theirs.step(number)
        assert_alike(ours, theirs)


@pytest.mark.parametrize("reloaded", ["ours from ours", "ours from theirs", "theirs from ours"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_with_a_state_reloaded_in_the_middle(name, reloaded):
    ours, theirs = (Side(library, name, "CosineAnnealingLR") for library in (dg, torch))
    run(ours, theirs, range(STEPS // 2))
    sides = {"ours": ours, "theirs": theirs}
    to, _, source = reloaded.partition(" from ")
    sides[to].load(sides[source].states())
    run(ours, theirs, range(STEPS // 2, STEPS))


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", ["AdamW", "SGD"])
def test_fifty_steps_of_every_schedule(name, schedule):
    ours, theirs = (Side(library, name, schedule) for library in (dg, torch))
    run(ours, theirs, range(STEPS))
