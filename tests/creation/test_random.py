"""Random numbers: keys, distributions, bounds, what is refused."""

import numpy as np
import pytest

import distgrad as dg
from distgrad.autograd import random_scope

DRAWS = {
    "rand": lambda **named: dg.rand(100, **named),
    "randn": lambda **named: dg.randn(100, **named),
    "randint": lambda **named: dg.randint(10**6, (100,), **named),
    "randperm": lambda **named: dg.randperm(100, **named),
    "rand_like": lambda **named: dg.rand_like(dg.ones(100), **named),
    "randn_like": lambda **named: dg.randn_like(dg.ones(100), **named),
    "randint_like": lambda **named: dg.randint_like(dg.ones(100), 10**6, **named),
    "normal": lambda **named: dg.normal(0.0, 1.0, (100,), **named),
    "bernoulli": lambda **named: dg.bernoulli(dg.full((100,), 0.5), **named),
    "multinomial": lambda **named: dg.multinomial(dg.ones(100), 50, **named),
    "normal_": lambda **named: dg.zeros(100).normal_(**named),
    "log_normal_": lambda **named: dg.zeros(100).log_normal_(**named),
    "cauchy_": lambda **named: dg.zeros(100).cauchy_(**named),
    "uniform_": lambda **named: dg.zeros(100).uniform_(**named),
    "exponential_": lambda **named: dg.zeros(100).exponential_(**named),
    "geometric_": lambda **named: dg.zeros(100).geometric_(0.01, **named),
    "bernoulli_": lambda **named: dg.zeros(100).bernoulli_(**named),
    "random_": lambda **named: dg.zeros(100).random_(**named),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_draws_are_keyed(draw) -> None:
    dg.manual_seed(1)
    first, second = draw().tolist(), draw().tolist()
    assert first != second
    dg.manual_seed(1)
    assert (draw().tolist(), draw().tolist()) == (first, second)
    with random_scope(7, step=3, micro_batch=2):
        inside = draw().tolist()
    with random_scope(7, step=3, micro_batch=2):
        assert draw().tolist() == inside
    with random_scope(7, step=3, micro_batch=1):
        assert draw().tolist() != inside


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_draws_from_a_generator(draw) -> None:
    one, same = np.random.default_rng(3), np.random.default_rng(3)
    assert draw(generator=one).tolist() == draw(generator=same).tolist()
    dg.manual_seed(0)
    expected = dg.rand(3).tolist()
    dg.manual_seed(0)
    draw(generator=one)
    assert dg.rand(3).tolist() == expected  # no call of the scope was used up
    with pytest.raises(TypeError, match=r"must be a numpy.random.Generator.*got int; without one"):
        draw(generator=3)


def test_draws_are_of_their_distribution() -> None:
    dg.manual_seed(0)
    n = 100_000
    moments = {  # mean and standard deviation
        "rand": (dg.rand(n), 0.5, 12**-0.5),
        "randn": (dg.randn(n), 0, 1),
        "normal": (dg.normal(2.0, 3.0, (n,)), 2, 3),
        "normal of tensors": (dg.normal(dg.full((n,), 2.0), dg.full((n,), 3.0)), 2, 3),
        "randint": (dg.randint(-1, 3, (n,)), 0.5, 1.25**0.5),
        "bernoulli": (dg.bernoulli(dg.full((n,), 0.2)), 0.2, 0.4),
        "bernoulli of all": (dg.bernoulli(dg.ones(n), 0.2), 0.2, 0.4),
        "multinomial": (dg.multinomial(dg.tensor([1.0, 0, 3]), n, True), 1.5, 0.75**0.5),
        "normal_": (dg.zeros(n).normal_(2, 3), 2, 3),
        "uniform_": (dg.zeros(n).uniform_(1, 4), 2.5, 3 * 12**-0.5),
        "exponential_": (dg.zeros(n).exponential_(0.5), 2, 2),
        "geometric_": (dg.zeros(n).geometric_(0.5), 2, 2**0.5),
        "log of log_normal_": (dg.zeros(n).log_normal_(1, 2).log(), 1, 2),
        "bernoulli_": (dg.zeros(n, dtype=bool).bernoulli_(0.2), 0.2, 0.4),
        "bernoulli_ of a tensor": (dg.zeros(n).bernoulli_(dg.full((n,), 0.2)), 0.2, 0.4),
        "random_": (dg.zeros(n).random_(-1, 3), 0.5, 1.25**0.5),
    }
    for name, (draw, mean, std) in moments.items():
        values = draw.data.astype(np.float64)
        assert values.mean() == pytest.approx(mean, abs=5 * std / n**0.5), name
        assert values.std() == pytest.approx(std, rel=0.03), name
    cauchy = dg.zeros(n).cauchy_(2, 3).data
    np.testing.assert_allclose(np.quantile(cauchy, [0.25, 0.5, 0.75]), [-1, 2, 5], atol=0.1)
    first = dg.multinomial(dg.tensor([[1.0, 2, 1]] * n), 2).data
    assert np.mean(first[:, 0] == 1) == pytest.approx(0.5, abs=0.01)
    assert np.mean(first[first[:, 0] == 1, 1] == 0) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("dtype", [dg.float16, dg.float32, dg.float64])
def test_draws_stay_within_their_bounds(dtype) -> None:
    dg.manual_seed(0)
    x = dg.rand(100_000, dtype=dtype).data  # float16 rounds 1 of 4000 such numbers to 1
    assert x.min() >= 0
    assert x.max() < 1
    x = dg.zeros(100_000, dtype=dtype).uniform_(3, 5).data
    assert x.min() >= 3
    assert x.max() < 5
    assert dg.zeros(100_000, dtype=dtype).exponential_(1e3).data.min() > 0


def test_precisions_draw_the_same_numbers() -> None:
    for draw in (dg.rand, dg.randn):
        dg.manual_seed(0)
        single = draw(100).data
        dg.manual_seed(0)
        double = draw(100, dtype=dg.float64).data
        np.testing.assert_allclose(single, double, atol=2**-22)


def test_bounds_of_integers() -> None:
    dg.manual_seed(0)
    assert set(dg.randint(2, 4, (100,)).tolist()) == {2, 3}
    assert set(dg.randint(2, size=(100,)).tolist()) == {0, 1}
    assert set(dg.randint(high=2, size=(100,)).tolist()) == {0, 1}
    assert dg.randint(5, (3,), dtype=dg.float16).dtype == np.float16
    assert dg.randint_like(dg.ones(3, dtype=dg.int8), 1, 2).tolist() == [1, 1, 1]
    assert set(dg.zeros(100).random_(3).tolist()) == {0, 1, 2}
    assert set(dg.zeros(100).random_(to=3).tolist()) == {0, 1, 2}
    assert set(dg.zeros(100).random_(1, 3).tolist()) == {1, 2}
    assert set(dg.zeros(100).random_(1, to=3).tolist()) == {1, 2}
    assert set(dg.zeros(100, dtype=bool).random_().tolist()) == {False, True}
    for dtype, most in ((dg.int8, 127), (dg.int64, 2**63 - 1), (dg.uint64, 2**64 - 1)):
        drawn = dg.zeros(1000, dtype=dtype).random_(1, None).data
        assert drawn.min() >= 1
        assert most * 0.98 < drawn.max() <= most
    wide = dg.zeros(1000, dtype=dg.float16).random_().data
    assert 2000 < wide.max() <= 2048
    assert sorted(dg.randperm(20).tolist()) == list(range(20))
    assert dg.randperm(0).shape == (0,)
    assert dg.randperm(3, dtype=dg.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: dg.rand(2, dtype=dg.int64), RuntimeError, r"rand\(\).*not int64; use randint"),
        (lambda: dg.randn_like(dg.arange(2)), RuntimeError, r"randn\(\) draws floating-point"),
        (lambda: dg.normal(0.0, -1.0, (2,)), RuntimeError, "std must not be negative, got -1"),
        (lambda: dg.normal(dg.ones(2), dg.tensor([1.0, -2])), RuntimeError, "got -2"),
        (lambda: dg.normal(dg.ones(2), 1.0, (2,)), TypeError, "takes size if mean and std are"),
        (lambda: dg.normal(0.0, 1.0), TypeError, "takes size if mean and std are numbers"),
        (lambda: dg.randint(3), TypeError, r"randint\(\) takes low, high and size"),
        (lambda: dg.randint(3, 3, (2,)), RuntimeError, "from low to high - 1, got 3 and 3"),
        (lambda: dg.randint(300, (2,), dtype=dg.uint8), RuntimeError, "299 does not fit uint8"),
        (
            lambda: dg.randint(3, (2,), dtype=bool),
            RuntimeError,
            "integers from 0 to 2 do not fit bool",
        ),
        (lambda: dg.randperm(-1), RuntimeError, "must not be negative"),
        (lambda: dg.randperm(300, dtype=dg.int8), RuntimeError, "299 does not fit int8"),
        (lambda: dg.bernoulli(dg.tensor([0.5, 1.5])), RuntimeError, "from 0 to 1.*0.5 to 1.5"),
        (lambda: dg.bernoulli(dg.tensor([np.nan])), RuntimeError, "from 0 to 1"),
        (lambda: dg.bernoulli(dg.arange(2)), RuntimeError, r"bernoulli\(\) takes a floating"),
        (lambda: dg.multinomial(dg.arange(2), 1), RuntimeError, r"multinomial\(\) takes a float"),
        (lambda: dg.multinomial(dg.ones(1, 1, 1), 1), RuntimeError, "1 or 2 axes"),
        (lambda: dg.multinomial(dg.ones(0), 1), RuntimeError, "at least one weight"),
        (lambda: dg.multinomial(dg.tensor([-1.0, 2]), 1), RuntimeError, "not negative"),
        (lambda: dg.multinomial(dg.tensor([np.inf]), 1), RuntimeError, "finite weights"),
        (lambda: dg.multinomial(dg.zeros(2, 2), 1), RuntimeError, "larger than 0"),
        (lambda: dg.multinomial(dg.ones(2), 3), RuntimeError, "1 to 2.*got 3; with replacement"),
        (lambda: dg.multinomial(dg.ones(2), 0), RuntimeError, "num_samples must be from 1 to 2"),
        (lambda: dg.arange(2).normal_(), RuntimeError, r"normal_\(\) takes a floating-point"),
        (lambda: dg.zeros(2).normal_(std=-1), RuntimeError, "std must not be negative"),
        (lambda: dg.zeros(2).log_normal_(std=0), RuntimeError, "std must be positive, got 0"),
        (lambda: dg.zeros(2).cauchy_(sigma=0), RuntimeError, "sigma must be positive, got 0"),
        (lambda: dg.zeros(2).uniform_(2, 1), RuntimeError, "from low to a larger number.*2 and 1"),
        (lambda: dg.zeros(2).uniform_(0, 1e39), RuntimeError, "both within float32"),
        (lambda: dg.zeros(2).exponential_(0), RuntimeError, "lambd must be positive, got 0"),
        (lambda: dg.zeros(2).geometric_(1), RuntimeError, "p must be between 0 and 1, got 1"),
        (lambda: dg.zeros(2).bernoulli_(2), RuntimeError, "probabilities must be from 0 to 1"),
        (lambda: dg.zeros(2).random_(1, 2, 3), TypeError, r"at most two bounds, got \(1, 2, 3\)"),
        (lambda: dg.zeros(2).random_(2, 1), RuntimeError, "from low to high - 1, got 2 and 1"),
    ],
)
def test_errors(draw, error, message) -> None:
    with pytest.raises(error, match=message):
        draw()


def test_shapes_and_types() -> None:
    assert dg.normal(dg.ones(3, 1), dg.ones(2)).shape == (3, 2)
    assert dg.normal(0.0, dg.ones(2, dtype=dg.float64)).dtype == np.float64
    assert dg.normal(dg.ones(2), 0.0).tolist() == [1, 1]
    assert dg.bernoulli(dg.ones(2, dtype=dg.float16)).dtype == np.float16
    assert dg.bernoulli(dg.arange(3), 1.0).tolist() == [1, 1, 1]
    assert dg.multinomial(dg.ones(5, 3), 2).shape == (5, 2)
    assert dg.multinomial(dg.ones(3), 2).dtype == np.int64
    assert sorted(dg.multinomial(dg.tensor([0, 1.0, 0, 2]), 2).tolist()) == [1, 3]
    assert dg.zeros(2).uniform_(3, 3).tolist() == [3, 3]


def test_gradients_through_draws_are_zero() -> None:
    p = dg.full((3,), 0.5, requires_grad=True)
    mean, std = dg.zeros(2, 1, requires_grad=True), dg.ones(3, requires_grad=True)
    (dg.bernoulli(p).sum() + dg.normal(mean, std).sum()).backward()
    assert p.grad.tolist() == std.grad.tolist() == [0, 0, 0]
    assert mean.grad.tolist() == [[0], [0]]


def test_in_place_draws_are_changes_in_place() -> None:
    x = dg.zeros(3)
    assert x.normal_() is x
    assert x.version.number > 0
    leaf = dg.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="in place"):
        leaf.uniform_()
    with dg.no_grad():
        leaf.uniform_()
    y = leaf * leaf
    y.normal_()
    y.sum().backward()
    assert leaf.grad.tolist() == [0, 0, 0]
    stale = dg.ones(3, requires_grad=True)
    kept = dg.ones(3)
    product = stale * kept
    kept.exponential_()
    with pytest.raises(RuntimeError, match="changed in place"):
        product.sum().backward()


def test_layout_does_not_matter() -> None:
    dg.manual_seed(0)
    rows = dg.zeros(3, 4).normal_()
    dg.manual_seed(0)
    columns = dg.zeros(4, 3).T.normal_()
    assert rows.tolist() == columns.tolist()


def test_what_does_not_fit_is_infinite_without_a_warning() -> None:
    half = dg.zeros(200, dtype=dg.float16)
    for draw in (
        dg.normal(0.0, 1e39, (3,)),
        dg.zeros(3).log_normal_(1000, 1),
        dg.zeros(3).exponential_(1e-39),
        half.cauchy_(0, 1e6),
    ):
        assert np.isinf(draw.data).any()
