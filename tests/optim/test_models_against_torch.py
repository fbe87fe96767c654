"""A perceptron and a convolutional network take the steps that PyTorch takes, in float64.

The same weights and batches; what remains is the order in which sums are taken.
"""

import numpy as np
import pytest

import distgrad as dg

torch = pytest.importorskip("torch")

STEPS = 100
RELATIVE = 6e-12

NOISE = 1e-9
"""For the bias before a normalisation, whose gradient is zero but for rounding, and its mean."""

OPTIMIZERS = {
    "SGD": {"lr": 0.02, "momentum": 0.9, "weight_decay": 1e-3},
    "AdamW": {"lr": 1e-3, "weight_decay": 0.05},
}


def perceptron(nn):
    return nn.Sequential(
        nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 5)
    )


def convolutions(nn):
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


MODELS = {
    "perceptron": (perceptron, (40, 12), ()),
    "convolutions": (
        convolutions,
        (24, 2, 8, 8),
        ("0.bias", "1.running_mean", "4.bias", "5.running_mean"),
    ),
}


def differences(model, optimizer):
    """Take the steps on both sides.

    Yields:
        Of each step, by names: the largest difference, and the largest entry.
    """
    build, shape, _ = MODELS[model]
    dg.manual_seed(0)
    mine, other = build(dg.nn).double(), build(torch.nn).double()
    other.load_state_dict({k: torch.tensor(v.numpy()) for k, v in mine.state_dict().items()})
    arguments = OPTIMIZERS[optimizer]
    mine_steps = getattr(dg.optim, optimizer)(mine.parameters(), **arguments)
    other_steps = getattr(torch.optim, optimizer)(other.parameters(), **arguments)
    generator = np.random.default_rng(1)
    for _ in range(STEPS):
        x, y = generator.standard_normal(shape), generator.integers(5, size=shape[0])
        for side, module, steps in ((dg, mine, mine_steps), (torch, other, other_steps)):
            steps.zero_grad()
            loss = side.nn.functional.cross_entropy(module(side.tensor(x)), side.tensor(y))
            loss.backward()
            steps.step()
        found = mine.state_dict()
        yield {
            name: (np.abs(found[name].numpy() - value.numpy()).max(), np.abs(value.numpy()).max())
            for name, value in other.state_dict().items()
        }


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_the_weights_are_pytorchs_after_every_step(model, optimizer):
    noise = MODELS[model][2]
    for step, of_step in enumerate(differences(model, optimizer), start=1):
        for name, (difference, largest) in of_step.items():
            bound = NOISE if name in noise else RELATIVE * largest
            assert difference <= bound, f"{name} at step {step}: {difference:g} > {bound:g}"
