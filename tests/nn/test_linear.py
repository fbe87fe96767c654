import numpy as np
import pytest

import distgrad as dg
from distgrad import nn


def test_values_and_gradients():
    layer = nn.Linear(3, 2, dtype=np.float64)
    x = np.random.default_rng(0).standard_normal((4, 5, 3))
    y = layer(dg.Tensor(x))
    np.testing.assert_allclose(y.detach().numpy(), x @ layer.weight.data.T + layer.bias.data)
    y.sum().backward()
    np.testing.assert_allclose(layer.weight.grad.data, np.tile(x.sum((0, 1)), (2, 1)))
    np.testing.assert_allclose(layer.bias.grad.data, [20.0, 20.0])


def test_shapes_names_and_types():
    layer = nn.Linear(3, 2, dtype=dg.float64)
    assert layer.weight.shape == (2, 3)
    assert layer.bias.shape == (2,)
    assert layer.weight.dtype == layer.bias.dtype == np.float64
    assert nn.Linear(3, 2).weight.dtype == np.float32


def test_without_bias():
    layer = nn.Linear(3, 2, bias=False)
    assert layer.bias is None
    assert list(layer.state_dict()) == ["weight"]
    assert repr(layer) == "Linear(in_features=3, out_features=2, bias=False)"
    assert layer(dg.zeros(1, 3)).tolist() == [[0.0, 0.0]]


def test_initial_values_are_uniform_within_the_bound_and_seeded():
    dg.manual_seed(3)
    layer = nn.Linear(100, 200)
    for parameter in layer.parameters():
        values = parameter.data
        assert abs(values).max() <= 0.1
        assert abs(values).max() > 0.097
        assert abs(values.mean()) < 0.01
        assert values.std() == pytest.approx(0.1 / 3**0.5, rel=0.1)
    dg.manual_seed(3)
    same = nn.Linear(100, 200)
    np.testing.assert_array_equal(layer.weight.data, same.weight.data)
    np.testing.assert_array_equal(layer.bias.data, same.bias.data)
    other = nn.Linear(100, 200)
    assert (layer.weight.data != other.weight.data).any()


def test_initial_values_are_the_same_in_both_precisions():
    dg.manual_seed(0)
    single = nn.Linear(4, 4)
    dg.manual_seed(0)
    double = nn.Linear(4, 4, dtype=np.float64)
    np.testing.assert_array_equal(single.weight.data, double.weight.data.astype(np.float32))


def test_no_inputs_at_all():
    layer = nn.Linear(0, 2)
    assert layer(dg.zeros(3, 0)).tolist() == [[0.0, 0.0]] * 3


def test_bilinear():
    dg.manual_seed(0)
    layer = nn.Bilinear(100, 3, 40)
    bound = 0.1
    for parameter in layer.parameters():
        assert bound * 0.8 < abs(parameter.data).max() <= bound
    x, y = dg.randn(2, 100), dg.randn(2, 3)
    expected = np.einsum("ni,oij,nj->no", x.data, layer.weight.data, y.data) + layer.bias.data
    np.testing.assert_allclose(layer(x, y).data, expected, rtol=1e-4, atol=1e-4)
    assert repr(nn.Bilinear(2, 3, 4, bias=False)) == (
        "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=False)"
    )
    with pytest.raises(ValueError, match="in1_features must be positive, got 0"):
        nn.Bilinear(0, 2, 3)
