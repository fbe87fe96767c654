import math

import numpy as np
import pytest
from helpers.data_parallel import classification_loss, classifier, gradients, ragged_data

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel, SingleProcess


@pytest.fixture(params=["tree", "allreduce"])
def model(request):
    return DataParallel(classifier(dtype=np.float64), SingleProcess(), request.param)


def windows():
    return dg.data.GlobalBatches(ragged_data(23, np.float64), 10, 4)


def test_equals_accumulate(model):
    loss = classification_loss(model)
    for window in windows():
        expected = model.accumulate(loss, window)
        expected_gradients = gradients(model)
        for m in range(len(window)):
            model.backward(*loss(window.micro_batch(m)))
        result = model.reduce()
        assert result == expected
        for name, gradient in gradients(model).items():
            np.testing.assert_allclose(gradient, expected_gradients[name], rtol=1e-12, atol=1e-15)


def test_backward_leaves_gradients_and_ranks_alone(model):
    next(model.parameters()).grad = before = dg.ones((8, 6), dtype=np.float64)
    window = next(iter(windows()))
    model.backward(*classification_loss(model)(window.micro_batch(0)))
    assert next(model.parameters()).grad is before


def test_gradients_appear_with_reduce(model):
    window = next(iter(windows()))
    model.backward(*classification_loss(model)(window.micro_batch(0)))
    assert set(gradients(model).values()) == {None}
    model.reduce()
    assert all(gradient is not None for gradient in gradients(model).values())


def test_without_micro_batches_there_are_no_gradients(model):
    result = model.reduce()
    assert (result.count, result.micro_batches, result.finite) == (0.0, 0, False)
    assert math.isnan(result.loss)
    assert set(gradients(model).values()) == {None}


def test_an_unused_parameter_has_no_gradient():
    model = DataParallel(nn.Sequential(nn.Linear(2, 1), nn.Linear(2, 1)), SingleProcess())
    model.backward(model.module[0](dg.ones((1, 2))).sum(), 1)
    model.reduce()
    assert gradients(model)["1.weight"] is None
    assert gradients(model)["0.weight"].tolist() == [[1, 1]]


def test_a_refused_count_leaves_no_gradient_behind(model):
    window = next(iter(windows()))
    loss_sum, _ = classification_loss(model)(window.micro_batch(0))
    with pytest.raises(ValueError, match="got count -1"):
        model.backward(loss_sum, -1)
    result = model.reduce()
    assert (result.count, result.micro_batches) == (0.0, 0)
    assert set(gradients(model).values()) == {None}


def test_what_is_not_finite_is_told(model):
    window = next(iter(windows()))
    loss_sum, count = classification_loss(model)(window.micro_batch(0))
    model.backward(loss_sum * math.inf, count)
    assert model.reduce().finite is False
    model.backward(*classification_loss(model)(window.micro_batch(0)))
    assert model.reduce().finite is True
