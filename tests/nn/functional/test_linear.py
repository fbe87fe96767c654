"""Maps that are linear in each of two inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 20), st.integers(0, 70), st.integers(0, 40), st.booleans())
def test_few_rows_and_many_give_contiguous_rows(rows, inputs, outputs, with_bias):
    x, weight = draws(rows, inputs), draws(outputs, inputs, seed=1)
    bias = draws(outputs, seed=2) if with_bias else None
    expected = x @ weight.T + (0 if bias is None else bias)
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-4)):
        given = [None if a is None else dg.Tensor(a.astype(dtype)) for a in (x, weight, bias)]
        y = F.linear(*given)
        assert y.dtype == dtype
        assert y.is_contiguous()
        np.testing.assert_allclose(y.data, expected, rtol=tolerance, atol=tolerance)
