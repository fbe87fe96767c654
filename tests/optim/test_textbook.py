"""Optimizers against their formulas, written out in NumPy, and against torch's."""

import numpy as np
import pytest
from helpers import textbook
from helpers.optimizing import assert_agree, gradients, run, run_torch, start

import distgrad as dg
from distgrad import nn, optim

OPTIONS = {
    "Adadelta": [
        {},
        {"rho": 0.95, "weight_decay": 0.1, "eps": 1e-3},
        {"lr": 0.1, "maximize": True, "weight_decay": 0.1},
    ],
    "RMSprop": [
        {},
        {"centered": True, "alpha": 0.9, "weight_decay": 0.1},
        {"momentum": 0.9, "eps": 1e-3},
        {"momentum": 0.5, "centered": True, "maximize": True},
    ],
    "Adamax": [{}, {"weight_decay": 0.1, "betas": (0.5, 0.9)}, {"maximize": True, "eps": 1e-3}],
    "NAdam": [
        {},
        {"weight_decay": 0.1, "momentum_decay": 0.5},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "betas": (0.5, 0.9)},
        {"maximize": True, "eps": 1e-3},
    ],
    "RAdam": [
        {},
        {"weight_decay": 0.1, "betas": (0.5, 0.9)},
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
        {"maximize": True, "eps": 1e-3},
        {"betas": (0.9, 0.1)},  # never long enough to be rectified
    ],
    "Lion": [
        {},
        {"betas": (0.5, 0.9), "weight_decay": 0.1},
        {"maximize": True, "weight_decay": 0.1},
    ],
    "LARS": [
        {},
        {"weight_decay": 0.1, "trust_coefficient": 0.1},
        {"momentum": 0.0, "maximize": True},
        {"adapt": False, "weight_decay": 0.1},
    ],
    "LAMB": [
        {},
        {"weight_decay": 0.1, "betas": (0.5, 0.9)},
        {"weight_decay": 0.0, "maximize": True, "eps": 1e-3},
        {"adapt": False},
    ],
}
CASES = [(name, options) for name, several in OPTIONS.items() for options in several]
TORCHS = [(name, options) for name, options in CASES if name not in ("Lion", "LARS", "LAMB")]
TOLERANCE = {"float32": 2e-6, "float64": 1e-12}
STEPS = 50


def maker(library, name, options):
    return lambda params: getattr(library, name)(params, **{"lr": 0.01, **options})


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_fifty_steps_agree_with_the_textbook(name, options, dtype):
    grads = gradients(STEPS, dtype)
    _, parameters = run(maker(optim, name, options), start(dtype), grads)
    reference = getattr(textbook, name.lower())
    # torch's product of momenta, which is float32, weighs the first steps' share of a step
    tolerance = 2e-9 if name == "NAdam" and dtype == "float64" else 5 * TOLERANCE[dtype]
    for place, (p, array) in enumerate(zip(parameters, start(dtype), strict=True)):
        wide = [g[place].astype(np.float64) for g in grads]
        expected = reference(array.astype(np.float64), wide, **{"lr": 0.01, **options})
        assert p.dtype == dtype
        np.testing.assert_allclose(p.data, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "options"), TORCHS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_fifty_steps_agree_with_torch(name, options, dtype):
    torch = pytest.importorskip("torch")
    arrays, grads = start(dtype), gradients(STEPS, dtype)
    _, ours = run(maker(optim, name, options), arrays, grads)
    _, theirs = run_torch(torch, maker(torch.optim, name, options), arrays, grads)
    assert_agree(ours, theirs, TOLERANCE[dtype])


def test_a_centered_mean_square_that_rounding_makes_negative():
    p = nn.Parameter(dg.zeros(1000))
    optimizer = optim.RMSprop([p], centered=True, alpha=0.5, lr=1e-12)
    p.grad = dg.Tensor(np.linspace(0.1, 0.9, 1000, dtype=np.float32))
    for _ in range(100):  # the same gradient: its variance goes to 0
        optimizer.step()
    assert np.isfinite(p.data).all()


BETAS = [
    ({"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
    ({"betas": (0.9, -0.1)}, "Invalid beta parameter at index 1: -0.1"),
    (
        {"betas": (0.9, dg.tensor(0.9))},
        r"Invalid beta parameter at index 1: betas must be numbers, got a Tensor; use its item\(\)",
    ),
]
EPS = ({"eps": -1}, "Invalid epsilon value: -1")
REFUSED = {
    "Adadelta": [({"rho": 1.1}, "Invalid rho value: 1.1"), EPS],
    "RMSprop": [
        ({"momentum": -1}, "Invalid momentum value: -1"),
        ({"alpha": -1}, "Invalid alpha value: -1"),
        EPS,
    ],
    "Adamax": [*BETAS, EPS],
    "NAdam": [*BETAS, EPS, ({"momentum_decay": -1}, "Invalid momentum_decay value: -1")],
    "RAdam": [*BETAS, EPS],
    "Lion": BETAS,
    "LARS": [
        ({"momentum": -1}, "Invalid momentum value: -1"),
        ({"trust_coefficient": -1}, "Invalid trust_coefficient value: -1"),
    ],
    "LAMB": [*BETAS, EPS],
}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (name, *case)
        for name, cases in REFUSED.items()
        for case in [
            *cases,
            ({"lr": -1}, "Invalid learning rate: -1"),
            ({"weight_decay": -1}, "Invalid weight_decay value: -1"),
        ]
    ],
)
def test_options_that_make_no_sense(name, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(optim, name)([nn.Parameter(dg.ones(1))], **options)
