import numpy as np
import pytest

import distgrad as dg
from distgrad import nn
from distgrad.nn.utils import parameters_to_vector, vector_to_parameters


def test_there_and_back():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    vector = parameters_to_vector(model.parameters())
    assert vector.shape == (13,)
    arrays = [p.data for p in model.parameters()]
    vector_to_parameters(vector * 2, model.parameters())
    np.testing.assert_array_equal(parameters_to_vector(model.parameters()).data, vector.data * 2)
    assert all(p.data is a for p, a in zip(model.parameters(), arrays, strict=True))
    assert all(p.version.number == 2 for p in model.parameters())  # initial values, then these


def test_gradients_flow_to_the_parameters():
    parameters = [nn.Parameter(dg.ones(2, 1)), nn.Parameter(dg.full((2,), 3.0))]
    (parameters_to_vector(parameters) * dg.arange(4.0)).square().sum().backward()
    assert [p.grad.tolist() for p in parameters] == [[[0.0], [2.0]], [24.0, 54.0]]


def test_errors():
    parameters = [nn.Parameter(dg.ones(2, 3))]
    with pytest.raises(ValueError, match="at least one parameter"):
        parameters_to_vector([])
    with pytest.raises(TypeError, match="expected a Tensor, but got: ndarray"):
        vector_to_parameters(np.ones(6), parameters)
    with pytest.raises(ValueError, match=r"6 elements together.*shape \(6,\), got \(7,\)"):
        vector_to_parameters(dg.zeros(7), parameters)
    assert parameters[0].tolist() == [[1.0] * 3] * 2
