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


X = np.linspace(-4, 4, 12).reshape(3, 4)

# layer: its function with the same arguments, its text
LAYERS = [
    (nn.LogSigmoid(), F.logsigmoid, "LogSigmoid()"),
    (nn.Tanhshrink(), F.tanhshrink, "Tanhshrink()"),
    (nn.Softsign(), F.softsign, "Softsign()"),
    (nn.Softplus(2.0, 5.0), lambda x: F.softplus(x, 2, 5), "Softplus(beta=2.0, threshold=5.0)"),
    (nn.SiLU(), F.silu, "SiLU()"),
    (nn.Mish(), F.mish, "Mish()"),
    (nn.GLU(1), lambda x: F.glu(x, 1), "GLU(dim=1)"),
    (nn.LeakyReLU(0.5), lambda x: F.leaky_relu(x, 0.5), "LeakyReLU(negative_slope=0.5)"),
    (nn.PReLU(dtype=np.float64), lambda x: F.leaky_relu(x, 0.25), "PReLU(num_parameters=1)"),
    (nn.RReLU(0.5, 0.5), lambda x: F.leaky_relu(x, 0.5), "RReLU(lower=0.5, upper=0.5)"),
    (nn.ELU(2.0), lambda x: F.elu(x, 2.0), "ELU(alpha=2.0)"),
    (nn.CELU(2.0), lambda x: F.celu(x, 2.0), "CELU(alpha=2.0)"),
    (nn.SELU(), F.selu, "SELU()"),
    (nn.ReLU6(), F.relu6, "ReLU6()"),
    (nn.Hardtanh(-2, 3), lambda x: F.hardtanh(x, -2, 3), "Hardtanh(min_val=-2, max_val=3)"),
    (nn.Hardsigmoid(), F.hardsigmoid, "Hardsigmoid()"),
    (nn.Hardswish(), F.hardswish, "Hardswish()"),
    (nn.Hardshrink(1.5), lambda x: F.hardshrink(x, 1.5), "Hardshrink(1.5)"),
    (nn.Softshrink(1.5), lambda x: F.softshrink(x, 1.5), "Softshrink(1.5)"),
    (nn.Threshold(1, 2), lambda x: F.threshold(x, 1, 2), "Threshold(threshold=1, value=2)"),
    (nn.Softmin(1), lambda x: F.softmin(x, 1), "Softmin(dim=1)"),
    (nn.LogSoftmax(1), lambda x: F.log_softmax(x, 1), "LogSoftmax(dim=1)"),
]


@pytest.mark.parametrize(("layer", "function", "text"), LAYERS, ids=lambda row: str(row)[:20])
def test_layers_are_their_functions(layer, function, text) -> None:
    found, expected = layer(dg.Tensor(X)), function(dg.Tensor(X))
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-14, strict=True)
    assert repr(layer) == text


IN_PLACE = [
    (nn.ReLU, ()),
    (nn.ReLU6, ()),
    (nn.LeakyReLU, ()),
    (nn.RReLU, (0.3, 0.3)),
    (nn.ELU, ()),
    (nn.CELU, ()),
    (nn.SELU, ()),
    (nn.SiLU, ()),
    (nn.Mish, ()),
    (nn.Hardtanh, ()),
    (nn.Hardsigmoid, ()),
    (nn.Hardswish, ()),
    (nn.Threshold, (1.0, 2.0)),
]


@pytest.mark.parametrize(("kind", "arguments"), IN_PLACE)
def test_what_changes_its_input_has_the_same_gradients(kind, arguments) -> None:
    start = dg.Tensor(X, requires_grad=True)
    expected = kind(*arguments)(start * 1.1)
    x = start * 1.1
    y = kind(*arguments, inplace=True)(x)
    assert y is x
    np.testing.assert_array_equal(x.data, expected.data)
    gradients = [dg.autograd.grad((v * v).sum(), start)[0].data for v in (x, expected)]
    np.testing.assert_array_equal(*gradients)
    text = repr(kind(*arguments, inplace=True))
    assert text.endswith("inplace=True)") or kind in (nn.Hardsigmoid, nn.Hardswish)
    with pytest.raises(RuntimeError, match="leaf that requires a gradient"):
        kind(*arguments, inplace=True)(start)


def test_softmax_over_channels() -> None:
    images = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    layer = nn.Softmax2d()
    np.testing.assert_allclose(layer(dg.Tensor(images)).data, scipy.special.softmax(images, 1))
    np.testing.assert_allclose(
        layer(dg.Tensor(images[0])).data, scipy.special.softmax(images[0], 0)
    )
    with pytest.raises(ValueError, match=r"shape \(N, C, H, W\) or \(C, H, W\), got \(3, 4\)"):
        layer(dg.Tensor(X))


def test_slopes_that_are_learned() -> None:
    layer = nn.PReLU(4, init=0.5, dtype=np.float64)
    assert layer.weight.tolist() == [0.5] * 4
    layer(dg.Tensor(X)).sum().backward()
    np.testing.assert_allclose(layer.weight.grad.data, np.minimum(X, 0).sum(0))


def test_a_range_without_a_middle_is_refused() -> None:
    with pytest.raises(ValueError, match="max_val must be above min_val, got 1 and 1"):
        nn.Hardtanh(1, 1)
