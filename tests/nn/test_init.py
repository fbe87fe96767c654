import numpy as np
import pytest

import distgrad as dg
from distgrad.nn import init


def test_gains_are_pytorchs():
    assert init.calculate_gain("linear") == 1.0
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("leaky_relu", 5**0.5) == pytest.approx((1 / 3) ** 0.5)
    assert init.calculate_gain("leaky_relu") == pytest.approx((2 / 1.0001) ** 0.5)
    torch = pytest.importorskip("torch")
    for name in ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)


def test_kaiming_uniform_bounds():
    dg.manual_seed(0)
    w = dg.zeros(300, 200, dtype=np.float64)
    bound = (6 / 200) ** 0.5
    assert init.kaiming_uniform_(w) is w
    assert 0.99 * bound < abs(w.data).max() <= bound
    bound = (3 / 300) ** 0.5
    init.kaiming_uniform_(w, mode="fan_out", nonlinearity="linear")
    assert 0.99 * bound < abs(w.data).max() <= bound


def spread(fill, shape, **named):
    """Mean, standard deviation and largest absolute value."""
    dg.manual_seed(0)
    values = fill(dg.zeros(*shape, dtype=np.float64), **named).data
    return values.mean(), values.std(), abs(values).max()


@pytest.mark.parametrize(
    ("fill", "named", "expected"),
    [
        (init.normal_, {"mean": 0.0, "std": 0.02}, 0.02),
        (init.xavier_normal_, {"gain": 3.0}, 3 * (2 / 500) ** 0.5),
        (init.xavier_uniform_, {"gain": 3.0}, 3 * (2 / 500) ** 0.5),
        (init.kaiming_normal_, {"nonlinearity": "relu"}, (2 / 200) ** 0.5),
        (init.kaiming_normal_, {"a": 2.0, "mode": "fan_out"}, (0.4 / 300) ** 0.5),
        (init.kaiming_uniform_, {"nonlinearity": "relu"}, (2 / 200) ** 0.5),
    ],
)
def test_standard_deviations(fill, named, expected):
    mean, deviation, largest = spread(fill, (300, 200), **named)
    assert abs(mean) < 0.02 * expected
    assert deviation == pytest.approx(expected, rel=0.01)
    uniform = fill in (init.xavier_uniform_, init.kaiming_uniform_)
    assert (largest < 3**0.5 * expected) == uniform


def test_normal_has_the_mean_that_is_asked_for():
    mean, deviation, _ = spread(init.normal_, (300, 200), mean=5.0, std=2.0)
    assert mean == pytest.approx(5, rel=0.01)
    assert deviation == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize(
    "name", ["normal_", "xavier_normal_", "xavier_uniform_", "kaiming_normal_"]
)
def test_distributions_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = getattr(torch.nn.init, name)(torch.zeros(300, 200, dtype=torch.float64)).numpy()
    _, deviation, _ = spread(getattr(init, name), (300, 200))
    assert deviation == pytest.approx(theirs.std(), rel=0.02)


def test_fans_of_a_kernel():
    assert init.fan_in_and_fan_out(dg.zeros(8, 3, 5, 5)) == (75, 200)


def test_uniform_takes_a_generator_or_the_random_scopes():
    a = init.uniform_(dg.zeros(5, dtype=np.float64), 2, 3, np.random.default_rng(1))
    expected = np.random.default_rng(1).uniform(2, 3, 5)
    np.testing.assert_array_equal(a.data, expected)
    with dg.autograd.random_scope(7):
        b = init.uniform_(dg.zeros(5))
    with dg.autograd.random_scope(7):
        assert init.uniform_(dg.zeros(5)).tolist() == b.tolist()


def test_constants():
    w = dg.full((2,), 9.0)
    assert init.zeros_(w).tolist() == [0.0, 0.0]
    assert init.ones_(w).tolist() == [1.0, 1.0]
    assert init.constant_(w, 0.5).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    "fill", [init.uniform_, init.normal_, init.zeros_, init.kaiming_uniform_, init.xavier_normal_]
)
def test_filling_announces_the_change(fill):
    w = dg.nn.Parameter(dg.zeros(2, 2))
    before = w.version.number
    fill(w)
    assert w.version.number > before
    assert w.grad is None


def test_nothing_to_fill():
    assert init.kaiming_uniform_(dg.zeros(3, 0)).shape == (3, 0)


def test_errors():
    with pytest.raises(ValueError, match="Unsupported nonlinearity gelu; use one of linear"):
        init.calculate_gain("gelu")
    with pytest.raises(ValueError, match=r"at least 2 axes, got shape \(3,\)"):
        init.kaiming_uniform_(dg.zeros(3))
    with pytest.raises(ValueError, match="Mode fan_avg not supported"):
        init.kaiming_uniform_(dg.zeros(3, 3), mode="fan_avg")
