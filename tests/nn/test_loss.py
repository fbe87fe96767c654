import numpy as np
import pytest

import distgrad as dg
from distgrad import nn
from distgrad.nn import functional as F


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_mse_is_the_function(reduction):
    x, y = np.random.default_rng(0).standard_normal((2, 4, 3))
    squares = (x - y) ** 2
    expected = {"mean": squares.mean(), "sum": squares.sum(), "none": squares}[reduction]
    loss = nn.MSELoss(reduction=reduction)(dg.Tensor(x), dg.Tensor(y))
    np.testing.assert_allclose(loss.data, expected)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_is_the_function(reduction):
    scores = np.random.default_rng(0).standard_normal((4, 3))
    target = np.array([0, 2, 1, 2])
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    terms = -np.log(p[np.arange(4), target]) * (target != 2)
    expected = {"mean": terms.sum() / 2, "sum": terms.sum(), "none": terms}[reduction]
    module = nn.CrossEntropyLoss(reduction=reduction, ignore_index=2)
    loss = module(dg.Tensor(scores), dg.Tensor(target))
    np.testing.assert_allclose(loss.data, expected)
    function = F.cross_entropy(
        dg.Tensor(scores), dg.Tensor(target), reduction=reduction, ignore_index=2
    )
    assert loss.tolist() == function.tolist()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_nll_is_the_function(reduction):
    log_p = dg.tensor([[-0.5, -1.0], [-2.0, -0.25], [-3.0, -4.0]])
    target = dg.tensor([1, 0, 9])
    found = nn.NLLLoss(reduction=reduction, ignore_index=9)(log_p, target)
    expected = {"mean": 1.5, "sum": 3.0, "none": [1.0, 2.0, 0.0]}[reduction]
    assert found.tolist() == expected


def test_defaults():
    assert (nn.NLLLoss().reduction, nn.NLLLoss().ignore_index) == ("mean", -100)
    assert nn.MSELoss().reduction == "mean"
    assert nn.CrossEntropyLoss().reduction == "mean"
    assert nn.CrossEntropyLoss().ignore_index == -100
    assert repr(nn.CrossEntropyLoss()) == "CrossEntropyLoss()"


@pytest.mark.parametrize(
    "loss", [nn.MSELoss("max"), nn.CrossEntropyLoss(reduction="max"), nn.NLLLoss(reduction="max")]
)
def test_an_unknown_reduction_is_refused(loss):
    with pytest.raises(ValueError, match=r"reduction must be one of .* got 'max'"):
        loss(dg.zeros(2, 2), dg.zeros(2, 2))
