import numpy as np
import pytest
from helpers import textbook
from helpers.optimizing import assert_agree, gradients, run, run_torch, start

import distgrad as dg
from distgrad import nn, optim

OPTIONS = [
    {},
    {"weight_decay": 0.1},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1, "maximize": True},
    {"maximize": True},
]
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_fifty_steps_agree_with_the_textbook(options, dtype):
    grads = gradients(50, dtype)
    _, parameters = run(lambda p: optim.SGD(p, lr=0.01, **options), start(dtype), grads)
    for place, (p, array) in enumerate(zip(parameters, start(dtype), strict=True)):
        wide = [g[place].astype(np.float64) for g in grads]
        expected = textbook.sgd(array.astype(np.float64), wide, lr=0.01, **options)
        tolerance = 5 * TOLERANCE[dtype]
        np.testing.assert_allclose(p.data, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_fifty_steps_agree_with_torch(options, dtype):
    torch = pytest.importorskip("torch")
    arrays, grads = start(dtype), gradients(50, dtype)
    _, ours = run(lambda p: optim.SGD(p, lr=0.01, **options), arrays, grads)
    _, theirs = run_torch(torch, lambda p: torch.optim.SGD(p, lr=0.01, **options), arrays, grads)
    assert_agree(ours, theirs, TOLERANCE[dtype])


def test_the_first_buffer_is_the_gradient_whatever_the_dampening():
    p = nn.Parameter(dg.zeros(2))
    optimizer = optim.SGD([p], lr=1.0, momentum=0.5, dampening=0.9)
    p.grad = dg.ones(2)
    optimizer.step()
    assert optimizer.state[p]["momentum_buffer"].tolist() == [1.0, 1.0]
    optimizer.step()
    np.testing.assert_allclose(optimizer.state[p]["momentum_buffer"].data, [0.6, 0.6])


def test_a_parameter_that_joins_late_begins_anew():
    p, q = nn.Parameter(dg.zeros(2)), nn.Parameter(dg.zeros(2))
    optimizer = optim.SGD([p, q], lr=1.0, momentum=0.5, dampening=0.9)
    p.grad = dg.ones(2)
    optimizer.step()
    q.grad = dg.ones(2)
    optimizer.step()
    np.testing.assert_allclose(optimizer.state[p]["momentum_buffer"].data, [0.6, 0.6])
    assert optimizer.state[q]["momentum_buffer"].tolist() == [1.0, 1.0]


def test_options_may_change_between_steps():
    p = nn.Parameter(dg.zeros(1))
    optimizer = optim.SGD([p], lr=1.0)
    p.grad = dg.ones(1)
    optimizer.step()
    assert not optimizer.state
    optimizer.param_groups[0].update(lr=0.5, momentum=0.9)
    optimizer.step()
    assert p.item() == -1.5
    assert optimizer.state[p]["momentum_buffer"].item() == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1}, "Invalid learning rate: -1"),
        ({"lr": float("nan")}, "Invalid learning rate: nan"),
        ({"momentum": -0.1}, "Invalid momentum value: -0.1"),
        ({"weight_decay": -0.1}, "Invalid weight_decay value: -0.1"),
        ({"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "Nesterov momentum requires"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        optim.SGD([nn.Parameter(dg.ones(1))], **options)
