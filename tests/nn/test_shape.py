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
