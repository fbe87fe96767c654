import numpy as np
import pytest
from helpers import textbook
from helpers.optimizing import assert_agree, gradients, run, run_torch, start

import distgrad as dg
from distgrad import nn, optim

OPTIONS = [
    {},
    {"lr_decay": 0.1, "weight_decay": 0.1},
    {"initial_accumulator_value": 0.5, "eps": 1e-3},
    {"maximize": True},
]
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_fifty_steps_agree_with_the_textbook(options, dtype):
    grads = gradients(50, dtype)
    _, parameters = run(lambda p: optim.Adagrad(p, lr=0.01, **options), start(dtype), grads)
    for place, (p, array) in enumerate(zip(parameters, start(dtype), strict=True)):
        wide = [g[place].astype(np.float64) for g in grads]
        expected = textbook.adagrad(array.astype(np.float64), wide, lr=0.01, **options)
        tolerance = 5 * TOLERANCE[dtype]
        np.testing.assert_allclose(p.data, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_fifty_steps_agree_with_torch(options, dtype):
    torch = pytest.importorskip("torch")
    arrays, grads = start(dtype), gradients(50, dtype)
    _, ours = run(lambda p: optim.Adagrad(p, lr=0.01, **options), arrays, grads)
    _, theirs = run_torch(
        torch, lambda p: torch.optim.Adagrad(p, lr=0.01, **options), arrays, grads
    )
    assert_agree(ours, theirs, TOLERANCE[dtype])


def test_the_state():
    p = nn.Parameter(dg.zeros(2))
    optimizer = optim.Adagrad([p], initial_accumulator_value=1.0)
    p.grad = dg.tensor([1.0, 2.0])
    optimizer.step()
    assert optimizer.state[p]["sum"].tolist() == [2.0, 5.0]
    assert optimizer.state[p]["step"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1}, "Invalid learning rate: -1"),
        ({"lr_decay": -1}, "Invalid lr_decay value: -1"),
        ({"weight_decay": -1}, "Invalid weight_decay value: -1"),
        ({"initial_accumulator_value": -1}, "Invalid initial_accumulator_value value: -1"),
        ({"eps": -1}, "Invalid epsilon value: -1"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        optim.Adagrad([nn.Parameter(dg.ones(1))], **options)
