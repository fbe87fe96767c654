"""Activations with draws: `rrelu` and `gumbel_softmax`."""

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F

X = dg.Tensor(np.linspace(-2, 2, 401), requires_grad=True)


def test_slopes_are_drawn_for_each_element():
    y = F.rrelu(X, 0.25, 0.75, training=True)
    (g,) = dg.autograd.grad(y.sum(), X)
    np.testing.assert_array_equal(y.data, X.data * g.data)
    assert (g.data[X.data > 0] == 1).all()
    slopes = g.data[X.data <= 0]
    assert slopes.min() >= 0.25
    assert slopes.max() <= 0.75
    assert len(set(slopes)) == len(slopes)
    assert abs(slopes.mean() - 0.5) < 0.05
    mean = F.rrelu(X, 0.25, 0.75)
    np.testing.assert_array_equal(mean.data, np.where(X.data > 0, X.data, X.data / 2))
    assert F.rrelu(dg.ones(2), training=True).dtype == np.float32
    x = X * 1
    assert F.rrelu(x, 0.5, 0.5, training=True, inplace=True) is x
    np.testing.assert_array_equal(x.data, mean.data)


def test_the_same_slopes_in_the_same_scope():
    results = []
    for step in (1, 2, 1):
        with dg.autograd.random_scope(0, step=step):
            results.append(F.rrelu(X, training=True).tolist())
    assert results[0] == results[2] != results[1]


@pytest.mark.parametrize("dim", [0, 1])
def test_gumbel_softmax_draws_classes_by_their_probabilities(dim):
    p = np.array([0.5, 0.3, 0.2])
    logits = np.broadcast_to(np.log(p), (4000, 3)).T if dim == 0 else np.log(p)[None] + 0 * draws()
    hard = F.gumbel_softmax(dg.Tensor(logits), hard=True, dim=dim)
    np.testing.assert_allclose(hard.data.sum(dim), 1)
    assert set(np.unique(hard.data.round(12))) == {0.0, 1.0}
    np.testing.assert_allclose(hard.data.mean(1 - dim), p, atol=0.03)


def draws():
    return np.zeros((4000, 3))


def test_gumbel_softmax_is_the_softmax_of_logits_with_noise():
    logits = dg.Tensor(np.random.default_rng(0).standard_normal((5, 3)), requires_grad=True)

    def run(logits, hard):
        with dg.autograd.random_scope(2):
            return F.gumbel_softmax(logits, tau=0.7, hard=hard)

    soft, hard = run(logits, False), run(logits, True)
    np.testing.assert_allclose(soft.data.sum(1), 1)
    np.testing.assert_array_equal(soft.data.argmax(1), hard.data.argmax(1))
    weights = dg.arange(3.0).double()
    gradients = [dg.autograd.grad((y * weights).sum(), logits)[0].data for y in (soft, hard)]
    np.testing.assert_allclose(*gradients, rtol=1e-12)
    assert dg.autograd.gradcheck(lambda x: run(x, False), logits)
    assert run(dg.ones(2), True).dtype == np.float32


def test_errors():
    with pytest.raises(ValueError, match="lower must not be above upper"):
        F.rrelu(X, 0.5, 0.25)
    for training in (True, False):
        with pytest.raises(TypeError, match="relu: the input must be of floating-point type"):
            F.rrelu(dg.tensor([1]), training=training)
    with pytest.raises(TypeError, match="gumbel_softmax: the input must be of floating-point"):
        F.gumbel_softmax(dg.tensor([1]))
