import numpy as np
import pytest
import scipy.special

import distgrad as dg
from distgrad import nn
from distgrad.nn import functional as F


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


def test_weighted_and_normalized() -> None:
    x = dg.tensor([[-1.0, 0.0, 2.0]])
    np.testing.assert_allclose(nn.Sigmoid()(x).data, scipy.special.expit(x.data), rtol=1e-6)
    np.testing.assert_allclose(nn.Softmax(1)(x).data, scipy.special.softmax(x.data, 1), rtol=1e-6)
    np.testing.assert_allclose(nn.GELU()(x).data, x.data * scipy.special.ndtr(x.data), rtol=1e-5)
    np.testing.assert_allclose(nn.GELU("tanh")(x).data, nn.GELU()(x).data, atol=1e-3)
    assert [repr(layer) for layer in (nn.Sigmoid(), nn.GELU(), nn.Softmax(dim=-1))] == [
        "Sigmoid()",
        "GELU(approximate='none')",
        "Softmax(dim=-1)",
    ]


def test_gelu_and_silu_refuse() -> None:
    with pytest.raises(
        ValueError, match=r"approximate must be one of \('none', 'tanh'\), got 'erf'"
    ):
        nn.GELU("erf")(dg.ones(2))
    for function in (F.gelu, F.silu):
        with pytest.raises(TypeError, match=f"{function.__name__}: the input must be of floating"):
            function(dg.tensor([1, 2]))
