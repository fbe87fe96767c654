import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F

CASES = [((4, 3), [0, 2, -100, 2]), ((3,), 1), ((2, 3, 2), [[0, 1], [2, -100]])]


def scores(shape):
    return dg.Tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize(("shape", "target"), CASES)
def test_with_log_softmax_it_is_the_cross_entropy(shape, target, reduction):
    x, y = scores(shape), dg.tensor(target)
    found = F.nll_loss(F.log_softmax(x, min(1, len(shape) - 1)), y, reduction=reduction)
    expected = F.cross_entropy(x, y, reduction=reduction)
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-14)
    gradients = [dg.autograd.grad(loss.sum(), x)[0].data for loss in (found, expected)]
    np.testing.assert_allclose(*gradients, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize(("shape", "target"), CASES)
def test_values_and_gradients_are_pytorchs(shape, target, reduction):
    torch = pytest.importorskip("torch")
    x = scores(shape)
    theirs = torch.tensor(x.data.copy(), requires_grad=True)
    found = F.nll_loss(x, dg.tensor(target), reduction=reduction)
    expected = torch.nn.functional.nll_loss(theirs, torch.tensor(target), reduction=reduction)
    np.testing.assert_allclose(found.data, expected.detach().numpy(), rtol=1e-14)
    (found * 2).sum().backward()
    (expected * 2).sum().backward()
    np.testing.assert_allclose(x.grad.data, theirs.grad.numpy(), rtol=1e-14)


def test_ignored_targets_do_not_count():
    x = dg.tensor([[-0.5, -1.0], [float("-inf"), 0.0]], requires_grad=True)
    loss = F.nll_loss(x, dg.tensor([1, -1]), ignore_index=-1)
    assert loss.item() == 1
    loss.backward()
    assert x.grad.tolist() == [[0, -1], [0, 0]]
    assert np.isnan(F.nll_loss(x, dg.tensor([-1, -1]), ignore_index=-1).item())


def test_errors():
    x = dg.zeros(2, 3)
    with pytest.raises(IndexError, match=r"nll_loss: target 3 at index \(1,\) .* for 3 classes"):
        F.nll_loss(x, dg.tensor([0, 3]))
    with pytest.raises(ValueError, match=r"nll_loss: scores of shape \(2, 3\) need targets of"):
        F.nll_loss(x, dg.tensor([0]))
    with pytest.raises(TypeError, match="nll_loss: targets must be integers"):
        F.nll_loss(x, dg.zeros(2))
    with pytest.raises(ValueError, match="nll_loss: reduction must be one of"):
        F.nll_loss(x, dg.tensor([0, 1]), reduction="all")
