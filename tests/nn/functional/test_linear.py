"""Maps that are linear in each of two inputs."""

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F


def draws(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("leading", [(), (3,), (2, 3), (0,)])
def test_bilinear_by_the_formula(leading):
    arrays = [draws(*leading, 4), draws(*leading, 2, seed=1), draws(3, 4, 2, seed=2), draws(3)]
    expected = np.einsum("...i,oij,...j->...o", arrays[0], arrays[2], arrays[1])
    expected = expected + arrays[3]
    y = F.bilinear(*map(dg.Tensor, arrays))
    np.testing.assert_allclose(y.data, expected, rtol=1e-12, atol=1e-14)
    y = F.bilinear(*map(dg.Tensor, arrays[:3]))
    np.testing.assert_allclose(y.data, expected - arrays[3], rtol=1e-12, atol=1e-14)
    assert F.bilinear(*(dg.Tensor(a.astype(np.float32)) for a in arrays)).dtype == np.float32


def test_gradients():
    arrays = draws(2, 3), draws(2, 2, seed=1), draws(2, 3, 2, seed=2), draws(2, seed=3)
    inputs = [dg.Tensor(a, requires_grad=True) for a in arrays]
    assert dg.autograd.gradcheck(F.bilinear, inputs)
    assert dg.autograd.gradgradcheck(F.bilinear, inputs)


def test_errors():
    x, y, weight = dg.ones(2, 3), dg.ones(2, 4), dg.ones(5, 3, 4)
    for arguments in [(y, x, weight), (x[0], y, weight), (x, y, weight[0]), (x, y[:1], weight)]:
        with pytest.raises(ValueError, match=r"inputs must have shapes \(..., in1\)"):
            F.bilinear(*arguments)
    with pytest.raises(ValueError, match=r"needs a bias of shape \(5,\), got \(4,\)"):
        F.bilinear(x, y, weight, dg.ones(4))
    with pytest.raises(RuntimeError, match="one data type, got float32 and float64"):
        F.bilinear(x, y, weight.double())
