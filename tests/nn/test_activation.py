import numpy as np

import distgrad as dg
from distgrad import nn


def test_relu():
    x = dg.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    y = nn.ReLU()(x)
    y.sum().backward()
    assert y.tolist() == [0.0, 0.0, 2.0]
    assert x.grad.tolist() == [0.0, 0.0, 1.0]


def test_tanh():
    x = np.linspace(-2, 2, 5)
    np.testing.assert_allclose(nn.Tanh()(dg.Tensor(x)).data, np.tanh(x))


def test_repr():
    assert repr(nn.ReLU()) == "ReLU()"
    assert repr(nn.Tanh()) == "Tanh()"
