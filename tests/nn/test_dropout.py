import pytest

import distgrad as dg
from distgrad import nn


def test_training_drops_and_scales():
    dg.manual_seed(0)
    y = nn.Dropout(0.25)(dg.ones(4000))
    values = set(y.tolist())
    assert len(values) == 2
    assert min(values) == 0.0
    assert max(values) == pytest.approx(4 / 3)
    assert (y == 0).sum().item() == pytest.approx(1000, rel=0.1)


def test_evaluation_returns_the_input():
    x = dg.ones(10)
    assert nn.Dropout(0.9).eval()(x) is x


def test_the_draws_are_keyed_by_the_random_scope():
    drop = nn.Dropout()
    x = dg.ones(64)
    with dg.autograd.random_scope(0, step=3, micro_batch=1):
        first, second = drop(x).tolist(), drop(x).tolist()
    with dg.autograd.random_scope(0, step=3, micro_batch=1):
        assert drop(x).tolist() == first
    with dg.autograd.random_scope(0, step=3, micro_batch=2):
        assert drop(x).tolist() != first
    assert first != second


def test_repr():
    assert repr(nn.Dropout(0.1)) == "Dropout(p=0.1, inplace=False)"


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_probability_out_of_range_is_refused(p):
    with pytest.raises(ValueError, match=f"has to be between 0 and 1, but got {p}"):
        nn.Dropout(p)
