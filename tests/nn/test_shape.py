import pytest

import distgrad as dg
from distgrad import nn


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [((), (2, 60)), ((0,), (120,)), ((1, 2), (2, 12, 5)), ((-2,), (2, 3, 20))],
)
def test_flatten(arguments, shape):
    assert nn.Flatten(*arguments)(dg.zeros(2, 3, 4, 5)).shape == shape


def test_flatten_lets_gradients_through():
    x = dg.ones(2, 3, requires_grad=True)
    (nn.Flatten(0)(x) * dg.arange(6.0)).sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def test_identity():
    x = dg.ones(2)
    assert nn.Identity(3, bias=True)(x) is x


def test_repr():
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"
    assert repr(nn.Identity(7)) == "Identity()"


def test_unflatten():
    x = dg.arange(12.0).reshape(2, 6)
    assert nn.Unflatten(1, (2, 3))(x).tolist() == x.reshape(2, 2, 3).tolist()
    assert nn.Unflatten(-1, [3, -1])(x).shape == (2, 3, 2)
    assert repr(nn.Unflatten(1, (2, 3))) == "Unflatten(dim=1, unflattened_size=(2, 3))"
    for wrong in (3, (2.0, 3), "23"):
        with pytest.raises(TypeError, match="unflattened_size must be a tuple of integers, got"):
            nn.Unflatten(1, wrong)
    with pytest.raises((RuntimeError, ValueError)):
        nn.Unflatten(1, (4, 2))(x)
