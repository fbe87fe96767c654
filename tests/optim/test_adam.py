import numpy as np
import pytest
from helpers import textbook
from helpers.optimizing import assert_agree, gradients, run, run_torch, start

import distgrad as dg
from distgrad import nn, optim

OPTIONS = [
    {},
    {"weight_decay": 0.1},
    {"amsgrad": True, "betas": (0.5, 0.9)},
    {"eps": 1e-3, "maximize": True, "weight_decay": 0.1},
    {"betas": (0.0, 0.0)},
]
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_fifty_steps_agree_with_the_textbook(options, name, dtype):
    options = {"weight_decay": 0.0, **options}
    grads = gradients(50, dtype)
    make = getattr(optim, name)
    _, parameters = run(lambda p: make(p, lr=0.01, **options), start(dtype), grads)
    for place, (p, array) in enumerate(zip(parameters, start(dtype), strict=True)):
        expected = textbook.adam(
            array.astype(np.float64),
            [g[place].astype(np.float64) for g in grads],
            lr=0.01,
            decoupled=name == "AdamW",
            **options,
        )
        tolerance = 5 * TOLERANCE[dtype]
        np.testing.assert_allclose(p.data, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_fifty_steps_agree_with_torch(options, name, dtype):
    torch = pytest.importorskip("torch")
    arrays, grads = start(dtype), gradients(50, dtype)
    make, make_torch = getattr(optim, name), getattr(torch.optim, name)
    _, ours = run(lambda p: make(p, lr=0.01, **options), arrays, grads)
    _, theirs = run_torch(torch, lambda p: make_torch(p, lr=0.01, **options), arrays, grads)
    assert_agree(ours, theirs, TOLERANCE[dtype])


def test_the_bias_is_corrected_for_each_parameter_by_its_own_steps():
    p, q = nn.Parameter(dg.zeros(2)), nn.Parameter(dg.zeros(2))
    optimizer = optim.Adam([p, q], lr=1.0)
    p.grad = dg.ones(2)
    optimizer.step()
    q.grad = dg.full((2,), 100.0)
    optimizer.step()
    assert optimizer.state[p]["step"] == 2
    assert optimizer.state[q]["step"] == 1
    np.testing.assert_allclose(p.data, -2.0)
    np.testing.assert_allclose(q.data, -1.0)


def test_the_state():
    p = nn.Parameter(dg.zeros(1))
    optimizer = optim.Adam([p], amsgrad=True)
    p.grad = dg.tensor([2.0])
    optimizer.step()
    state = optimizer.state[p]
    assert state["step"] == 1
    assert state["exp_avg"].item() == pytest.approx(0.2)
    assert state["exp_avg_sq"].item() == pytest.approx(0.004)
    assert state["max_exp_avg_sq"].item() == pytest.approx(0.004)


def test_the_default_weight_decay_differs():
    p = nn.Parameter(dg.ones(1))
    assert optim.Adam([p]).defaults["weight_decay"] == 0.0
    assert optim.AdamW([p]).defaults["weight_decay"] == 1e-2


def test_gradients_that_overflow_show_in_the_parameters_without_a_warning():
    p = nn.Parameter(dg.zeros(2))
    optimizer = optim.Adam([p])
    p.grad = dg.tensor([1e30, float("nan")])
    optimizer.step()
    assert np.isnan(p.data[1])


@pytest.mark.parametrize("make", [optim.Adam, optim.AdamW])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1}, "Invalid learning rate: -1"),
        ({"eps": -1}, "Invalid epsilon value: -1"),
        ({"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
        ({"betas": (0.9, -0.1)}, "Invalid beta parameter at index 1: -0.1"),
        ({"weight_decay": -1}, "Invalid weight_decay value: -1"),
    ],
)
def test_options_that_make_no_sense(make, options, message):
    with pytest.raises(ValueError, match=message):
        make([nn.Parameter(dg.ones(1))], **options)
