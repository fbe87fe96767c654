"""Dropout of elements and channels."""

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F

KINDS = {
    F.dropout: (3, 4, 5),
    F.dropout1d: (3, 40, 5),
    F.dropout2d: (3, 40, 5, 2),
    F.dropout3d: (3, 40, 5, 2, 1),
    F.alpha_dropout: (3, 4, 5),
    F.feature_alpha_dropout: (3, 40, 5),
}
OF_CHANNELS = [F.dropout1d, F.dropout2d, F.dropout3d, F.feature_alpha_dropout]


def draws(*shape):
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize("function", OF_CHANNELS)
@pytest.mark.parametrize("p", [0.25, 0.5])
def test_whole_channels_stay_or_go(function, p):
    shape = KINDS[function]
    y = function(dg.ones(shape), p, training=True).data.reshape(120, -1)
    assert (y == y[:, :1]).all()
    values, counts = np.unique(y[:, 0], return_counts=True)
    assert len(values) == 2
    if function is not F.feature_alpha_dropout:
        np.testing.assert_allclose(values, [0, 1 / (1 - p)], rtol=1e-6)
    np.testing.assert_allclose(counts / 120, [p, 1 - p], atol=0.15)


@pytest.mark.parametrize(
    ("function", "shape"),
    [(F.dropout1d, (60, 3)), (F.dropout3d, (60, 3, 1, 2)), (F.dropout2d, (60, 1, 3))],
)
def test_a_sample_without_a_batch(function, shape):
    y = function(dg.ones(shape), 0.5).data.reshape(60, -1)
    assert (y == y[:, :1]).all()
    assert 0.2 < (y == 0).mean() < 0.8


def test_alpha_dropout_keeps_mean_and_variance():
    x = dg.Tensor(draws(200, 100))
    y = F.alpha_dropout(x, 0.3, training=True)
    assert y.dtype == np.float64
    assert abs(y.data.mean()) < 0.02
    assert abs(y.data.var() - 1) < 0.03
    # In the paper's words: alpha' is where SELU saturates, and a and b restore the moments.
    p, alpha = 0.7, -1.7580993408473766
    a = (p + alpha**2 * p * (1 - p)) ** -0.5
    b = -a * alpha * (1 - p)
    gone = np.isclose(y.data, a * alpha + b)
    assert 0.28 < gone.mean() < 0.32
    np.testing.assert_allclose(y.data[~gone], (a * x.data + b)[~gone], rtol=1e-12)


@pytest.mark.parametrize("function", KINDS)
def test_gradients(function):
    x = dg.Tensor(draws(*KINDS[function][:1], 2, *KINDS[function][2:]), requires_grad=True)

    def run(x):
        with dg.autograd.random_scope(3):
            return function(x, 0.4, training=True) ** 2

    assert dg.autograd.gradcheck(run, x)
    assert dg.autograd.gradgradcheck(run, x)


@pytest.mark.parametrize("function", KINDS)
def test_what_leaves_the_input_alone_and_what_takes_all(function):
    x = dg.ones(KINDS[function])
    assert function(x, 0.3, training=False) is x
    assert function(x, 0.0, training=True) is x
    assert not function(x, 1.0, training=True).data.any()
    for dtype in (np.float32, np.float64):
        assert function(x.to(dtype), 0.3, training=True).dtype == dtype
    empty = dg.zeros(0, *KINDS[function][1:])
    assert function(empty, 0.3, training=True).shape == empty.shape


@pytest.mark.parametrize("function", KINDS)
def test_in_place(function):
    start = dg.ones(KINDS[function], requires_grad=True)
    with dg.autograd.random_scope(1):
        expected = function(start, 0.4, training=True)
    x = start * 1
    with dg.autograd.random_scope(1):
        assert function(x, 0.4, training=True, inplace=True) is x
    np.testing.assert_array_equal(x.data, expected.data)
    gradients = [dg.autograd.grad((y * y).sum(), start)[0].data for y in (x, expected)]
    np.testing.assert_array_equal(*gradients)
    with pytest.raises(RuntimeError, match="leaf that requires a gradient"):
        function(start, 0.4, training=True, inplace=True)


@pytest.mark.parametrize("function", KINDS)
def test_draws_are_keyed_by_the_random_scope(function):
    results = []
    for step in (1, 2, 1):
        with dg.autograd.random_scope(0, step=step, micro_batch=4):
            results.append(function(dg.ones(KINDS[function]), training=True).tolist())
    assert results[0] == results[2] != results[1]


@pytest.mark.parametrize("function", KINDS)
def test_errors(function):
    name = function.__name__
    x = dg.ones(KINDS[function])
    for p in (-0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match=f"{name}: p must be from 0 to 1, got {p}"):
            function(x, p)
    with pytest.raises(TypeError, match=f"{name}: the input must be of floating-point type"):
        function(x.long(), training=True)
    if function in OF_CHANNELS:
        with pytest.raises(RuntimeError, match=rf"{name}: the input must have shape .* got \(\)"):
            function(dg.ones(()), training=True)
