import math
import statistics

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
    with pytest.raises(ValueError, match="slope of leaky_relu must be a number, got True"):
        init.calculate_gain("leaky_relu", True)
    with pytest.raises(RuntimeError, match=r"uniform_\(\) needs a lower bound .*: 2 to 1"):
        init.uniform_(dg.zeros(3), 2, 1)
    with pytest.raises(RuntimeError, match="standard deviation of 0 or more, got -1"):
        init.normal_(dg.zeros(3), std=-1)
    with pytest.raises(RuntimeError, match=r"trunc_normal_\(\) needs a lower bound .*: 2 to 1"):
        init.trunc_normal_(dg.zeros(3), a=2, b=1)
    with pytest.raises(RuntimeError, match="a standard deviation above 0, got 0"):
        init.trunc_normal_(dg.zeros(3), std=0)
    with pytest.raises(ValueError, match=r"eye_\(\) fills a tensor of 2 axes, got shape \(3,\)"):
        init.eye_(dg.zeros(3))
    with pytest.raises(ValueError, match=r"of 3, 4 or 5 axes, got shape \(3, 3\)"):
        init.dirac_(dg.zeros(3, 3))
    with pytest.raises(ValueError, match="groups must divide the 3 output channels, got 2"):
        init.dirac_(dg.zeros(3, 3, 3), groups=2)
    with pytest.raises(ValueError, match=r"of at least 2 axes, got shape \(3,\)"):
        init.orthogonal_(dg.zeros(3))
    with pytest.raises(ValueError, match=r"sparse_\(\) fills a tensor of 2 axes, got shape \(3,\)"):
        init.sparse_(dg.zeros(3), 0.1)
    with pytest.raises(ValueError, match=r"a fraction from 0 to 1, got 1\.5"):
        init.sparse_(dg.zeros(3, 3), 1.5)


def truncated_moments(mean, std, a, b):
    """Mean and standard deviation in closed form, by the standard library's distribution."""
    standard = statistics.NormalDist()
    low, high = (a - mean) / std, (b - mean) / std
    density = [0.0 if math.isinf(x) else standard.pdf(x) for x in (low, high)]
    # In the upper tail 1 - cdf loses all digits: the distribution is its own mirror image.
    mass = standard.cdf(-low) - standard.cdf(-high)
    first = (density[0] - density[1]) / mass
    ends = [0.0 if math.isinf(x) else x * d for x, d in zip((low, high), density, strict=True)]
    return mean + std * first, std * math.sqrt(1 + (ends[0] - ends[1]) / mass - first**2)


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [
        (0.0, 1.0, -2.0, 2.0),
        (0.0, 0.02, -2.0, 2.0),
        (0.0, 5.0, -2.0, 2.0),
        (1.0, 2.0, 0.0, math.inf),
        (-4.0, 1.0, 0.0, 1.0),
        (0.0, 1.0, 5.0, math.inf),
        (3.0, 0.5, -math.inf, 1.0),
    ],
)
def test_truncated_normal(mean, std, a, b):
    dg.manual_seed(0)
    w = dg.zeros(100, 400, dtype=np.float64)
    assert init.trunc_normal_(w, mean, std, a, b) is w
    assert a <= w.data.min() < w.data.max() <= b
    expected_mean, expected_std = truncated_moments(mean, std, a, b)
    assert w.data.std() == pytest.approx(expected_std, rel=0.02)
    assert w.data.mean() == pytest.approx(expected_mean, abs=4 * expected_std / 200)
    standard = statistics.NormalDist(mean, std)
    below = [standard.cdf(x) for x in (a, np.quantile(w.data, 0.25), b)]
    if below[0] < 0.9:
        assert (below[1] - below[0]) / (below[2] - below[0]) == pytest.approx(0.25, abs=0.01)


def test_truncated_normal_in_a_single_point_and_in_float32():
    assert init.trunc_normal_(dg.zeros(3), a=0.1, b=0.1).tolist() == dg.full((3,), 0.1).tolist()
    w = init.trunc_normal_(dg.zeros(10_000), a=-0.1, b=0.1)
    assert np.float32(-0.1) <= w.data.min() <= w.data.max() <= np.float32(0.1)


def test_identity_matrices():
    w = dg.full((3, 5), 7.0)
    assert init.eye_(w) is w
    np.testing.assert_array_equal(w.data, np.eye(3, 5))
    x = dg.randn(4, 5)
    np.testing.assert_array_equal((x @ w.T).data, x.data[:, :3])


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("kernel", [(3,), (3, 4), (1, 2, 3)])
@pytest.mark.parametrize("inputs", [2, 5])
def test_dirac(groups, kernel, inputs):
    w = init.dirac_(dg.full((4, inputs, *kernel), 7.0), groups)
    expected = np.zeros(w.shape)
    for group in range(groups):
        for channel in range(min(4 // groups, inputs)):
            expected[(group * (4 // groups) + channel, channel, *(k // 2 for k in kernel))] = 1
    np.testing.assert_array_equal(w.data, expected)
    torch = pytest.importorskip("torch")
    theirs = torch.nn.init.dirac_(torch.zeros(4, inputs, *kernel), groups)
    np.testing.assert_array_equal(w.data, theirs.numpy())


def test_a_convolution_with_dirac_hands_its_input_on():
    layer = dg.nn.Conv2d(4, 4, 3, padding=1, groups=2, bias=False)
    init.dirac_(layer.weight, groups=2)
    x = dg.randn(2, 4, 5, 5)
    np.testing.assert_array_equal(layer(x).data, x.data)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (4, 2, 3), (1, 7)])
def test_orthogonal(shape):
    dg.manual_seed(0)
    w = dg.zeros(*shape, dtype=np.float64)
    assert init.orthogonal_(w, gain=3.0) is w
    flat = w.data.reshape(shape[0], -1)
    product = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(product, 9 * np.eye(len(product)), atol=1e-13)


def test_orthogonal_matrices_are_uniformly_distributed():
    """Each element has mean 0 and variance 1/n; without the signs the diagonal would lean."""
    dg.manual_seed(0)
    drawn = np.stack([init.orthogonal_(dg.zeros(3, 3, dtype=np.float64)).data for _ in range(2000)])
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.06)
    np.testing.assert_allclose(drawn.var(0), 1 / 3, atol=0.03)
    assert abs(np.linalg.det(drawn).mean()) < 0.1


def test_orthogonal_has_the_same_bits_again_and_draws_once():
    def draw():
        with dg.autograd.random_scope(3):
            return init.orthogonal_(dg.zeros(6, 4)).tolist(), dg.rand(1).item()

    first = draw()
    assert draw() == first
    with dg.autograd.random_scope(3):
        init.orthogonal_(dg.zeros(0, 4))
        assert dg.rand(1).item() == first[1]


def test_sparse():
    dg.manual_seed(0)
    w = init.sparse_(dg.zeros(101, 50, dtype=np.float64), sparsity=0.1, std=2.0)
    assert ((w.data == 0).sum(0) == 11).all()
    assert len({tuple(np.flatnonzero(column == 0)) for column in w.data.T}) == 50
    kept = w.data[w.data != 0]
    assert kept.std() == pytest.approx(2.0, rel=0.03)
    assert abs(kept.mean()) < 0.1
    assert (init.sparse_(dg.zeros(3, 2), sparsity=1.0).data == 0).all()
    assert (init.sparse_(dg.zeros(3, 2), sparsity=0.0).data != 0).all()


@pytest.mark.parametrize(
    "fill",
    [
        init.trunc_normal_,
        init.orthogonal_,
        lambda w: init.sparse_(w, 0.5),
        init.xavier_normal_,
        init.kaiming_normal_,
    ],
)
def test_draws_are_the_random_scopes(fill):
    with dg.autograd.random_scope(7):
        first, second = fill(dg.zeros(4, 4)).tolist(), fill(dg.zeros(4, 4)).tolist()
    with dg.autograd.random_scope(7):
        assert fill(dg.zeros(4, 4)).tolist() == first
    assert first != second


def test_generators_are_taken_by_name():
    for fill in (
        init.trunc_normal_,
        init.orthogonal_,
        lambda w, generator: init.sparse_(w, 0.5, generator=generator),
    ):
        a, b = (fill(dg.zeros(4, 4), generator=np.random.default_rng(1)).tolist() for _ in "ab")
        assert a == b


def test_modes_in_capitals():
    a = init.kaiming_normal_(dg.zeros(3, 5), mode="FAN_OUT", generator=np.random.default_rng(1))
    b = init.kaiming_normal_(dg.zeros(3, 5), mode="fan_out", generator=np.random.default_rng(1))
    assert a.tolist() == b.tolist()


def test_gains_of_convolutions():
    assert {init.calculate_gain(f"conv{t}{n}d") for t in ("", "_transpose") for n in "123"} == {1.0}
