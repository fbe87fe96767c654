"""Scaled dot-product attention."""

import math

import numpy as np
import pytest
import scipy.special

import distgrad as dg
import distgrad.nn.functional as F

attention = F.scaled_dot_product_attention


def draws(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def triple(batch=(2,), queries=4, keys=5, width=3, values=2):
    return [
        draws(*batch, queries, width),
        draws(*batch, keys, width, seed=1),
        draws(*batch, keys, values, seed=2),
    ]


def leaves(arrays, dtype=np.float64):
    return [dg.Tensor(a.astype(dtype), requires_grad=True) for a in arrays]


def reference(query, key, value, visible=None, terms=0.0, scale=None):
    """Query by query."""
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = scale * query @ np.swapaxes(key, -1, -2) + terms
    if visible is not None:
        scores = np.where(visible, scores, -np.inf)
    return scipy.special.softmax(scores, axis=-1) @ value


TRIANGLE = np.tri(4, 5, dtype=bool)
HOLES = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 1, 0, 1, 1]], bool)


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_by_the_formula(batch):
    arrays = triple(batch)
    tensors = [dg.Tensor(a) for a in arrays]
    compare = np.testing.assert_allclose
    compare(attention(*tensors).data, reference(*arrays), rtol=1e-12)
    compare(attention(*tensors, scale=2.0).data, reference(*arrays, scale=2.0), rtol=1e-12)
    causal = attention(*tensors, is_causal=True)
    compare(causal.data, reference(*arrays, TRIANGLE), rtol=1e-12)
    masked = attention(*tensors, attn_mask=dg.Tensor(HOLES))
    compare(masked.data, reference(*arrays, HOLES), rtol=1e-12)
    terms = draws(4, 5, seed=5)
    shifted = attention(*tensors, attn_mask=dg.Tensor(terms))
    compare(shifted.data, reference(*arrays, terms=terms), rtol=1e-12)


def test_large_scores_do_not_overflow():
    arrays = [a.astype(np.float32) for a in triple()]
    arrays[0] *= 1e4
    y = attention(*[dg.Tensor(a) for a in arrays])
    assert np.isfinite(y.data).all()
    assert y.dtype == np.float32


@pytest.mark.parametrize("form", ["plain", "causal", "holes", "terms", "dropout"])
def test_gradients(form):
    inputs = leaves([*triple((2,), 2, 3, 2, 1), draws(2, 3, seed=7)])

    def run(query, key, value, terms):
        arguments = {
            "plain": {},
            "causal": {"is_causal": True},
            "holes": {"attn_mask": dg.Tensor(HOLES[:2, :3])},
            "terms": {"attn_mask": terms},
            "dropout": {"dropout_p": 0.4},
        }[form]
        with dg.autograd.random_scope(3):
            return attention(query, key, value, **arguments)

    inputs = inputs if form == "terms" else [*inputs[:3], inputs[3].detach()]
    assert dg.autograd.gradcheck(run, inputs)
    assert dg.autograd.gradgradcheck(run, inputs)


def test_a_query_that_sees_no_key_gets_zeros_and_no_gradient():
    visible = np.array([[True, False, True], [False, False, False]])
    terms = np.where(visible, 0.0, -np.inf)
    for mask in (visible, terms):
        inputs = leaves(triple((), 2, 3, 2, 2))
        y = attention(*inputs, attn_mask=dg.Tensor(mask))
        assert y.data[1].tolist() == [0, 0]
        y.sum().backward()
        gradients = [x.grad.data for x in inputs]
        assert all(np.isfinite(g).all() for g in gradients)
        assert gradients[0][1].tolist() == [0, 0]
    nothing = attention(dg.zeros(2, 3), dg.zeros(0, 3), dg.zeros(0, 4))
    assert nothing.tolist() == [[0] * 4] * 2


def test_nan_scores_are_not_hidden():
    arrays = triple(())
    arrays[0][1, 0] = np.nan
    y = attention(*[dg.Tensor(a) for a in arrays], is_causal=True).data
    assert np.isnan(y[1]).all()
    assert np.isfinite(y[[0, 2, 3]]).all()


def test_shapes_that_broadcast():
    query, key, value = draws(2, 1, 4, 3), draws(1, 3, 5, 3, seed=1), draws(5, 2, seed=2)
    inputs = leaves([query, key, value])
    y = attention(*inputs, attn_mask=dg.Tensor(np.array([True, True, False, True, True])))
    visible = np.array([1, 1, 0, 1, 1], bool)
    np.testing.assert_allclose(y.data, reference(query, key, value, visible), rtol=1e-12)
    y.sum().backward()
    assert [x.grad.shape for x in inputs] == [x.shape for x in inputs]


@pytest.mark.parametrize(("heads", "groups"), [(6, 2), (4, 4), (3, 1)])
def test_heads_that_share_keys_and_values(heads, groups):
    query = draws(2, heads, 4, 3)
    key, value = draws(2, groups, 5, 3, seed=1), draws(2, groups, 5, 2, seed=2)
    inputs = leaves([query, key, value])
    y = attention(*inputs, enable_gqa=True)
    each = [np.repeat(x, heads // groups, axis=1) for x in (key, value)]
    np.testing.assert_allclose(y.data, reference(query, *each), rtol=1e-12)
    y.sum().backward()
    assert [x.grad.shape for x in inputs] == [x.shape for x in inputs]


def test_terms_of_float32_go_with_any_query():
    arrays = triple()
    terms = draws(4, 5, seed=5).astype(np.float32)
    y = attention(*[dg.Tensor(a) for a in arrays], attn_mask=dg.Tensor(terms))
    assert y.dtype == np.float64
    np.testing.assert_allclose(y.data, reference(*arrays, terms=terms), rtol=1e-12)


def test_dropout_is_drawn_from_the_random_scope():
    query = dg.zeros(1, 50, 2)
    value = dg.ones(1, 50, 1)
    with dg.autograd.random_scope(7):
        first = attention(query, query, value, dropout_p=0.5)
        second = attention(query, query, value, dropout_p=0.5)
    with dg.autograd.random_scope(7):
        again = attention(query, query, value, dropout_p=0.5)
    assert first.tolist() == again.tolist()
    assert first.tolist() != second.tolist()
    assert 0.8 < first.mean().item() < 1.2  # weights that stay are doubled
    everything = attention(query, query, value, dropout_p=1.0)
    assert everything.tolist() == dg.zeros(1, 50, 1).tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["plain", "causal", "holes", "blind", "terms", "blind terms"])
def test_values_and_gradients_are_pytorchs(form, dtype):
    torch = pytest.importorskip("torch")
    blind = HOLES.copy()
    blind[2] = False
    mask = {
        "holes": HOLES,
        "blind": blind,
        "terms": draws(4, 5, seed=5),
        "blind terms": np.where(blind, 0.5, -np.inf),
    }.get(form)
    if mask is not None and mask.dtype != bool:
        mask = mask.astype(dtype)
    own = leaves(triple((2, 3)), dtype)
    theirs = [torch.tensor(x.data.copy(), requires_grad=True) for x in own]
    how = {"is_causal": form == "causal"}
    y = attention(*own, attn_mask=None if mask is None else dg.Tensor(mask), **how)
    expected = torch.nn.functional.scaled_dot_product_attention(
        *theirs, attn_mask=None if mask is None else torch.tensor(mask), **how
    )
    close = {"rtol": 1e-4, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-11, "atol": 1e-13}
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), **close)
    (y**2).sum().backward()
    (expected**2).sum().backward()
    for a, b in zip(own, theirs, strict=True):
        np.testing.assert_allclose(a.grad.data, b.grad.numpy(), **close)


def test_errors():
    x = dg.zeros(4, 3)
    with pytest.raises(ValueError, match=r"shapes \(..., L, E\).* got \(4, 3\), \(4, 2\) and"):
        attention(x, dg.zeros(4, 2), x)
    with pytest.raises(ValueError, match=r"must have shapes"):
        attention(x, x, dg.zeros(5, 3))
    with pytest.raises(ValueError, match=r"must have shapes"):
        attention(dg.zeros(3), dg.zeros(3), dg.zeros(3))
    with pytest.raises(
        ValueError, match=r"broadcast to the scores of shape \(4, 4\), got \(3, 4\)"
    ):
        attention(x, x, x, attn_mask=dg.ones(3, 4))
    with pytest.raises(ValueError, match=r"broadcast to the scores of shape \(4, 4\)"):
        attention(x, x, x, attn_mask=dg.ones(2, 4, 4))
    with pytest.raises(RuntimeError, match=r"truth values, or terms of .* or float32, got int64"):
        attention(x, x, x, attn_mask=dg.ones(4, 4, dtype=dg.int64))
    with pytest.raises(RuntimeError, match="one data type, got float32, float64 and float32"):
        attention(x, x.to(dg.float64), x)
    with pytest.raises(
        RuntimeError, match="is_causal=True is a mask itself and takes no attn_mask"
    ):
        attention(x, x, x, attn_mask=dg.ones(4, 4), is_causal=True)
    heads = dg.zeros(4, 2, 3)
    for shared in (dg.zeros(3, 2, 3), x[:2], dg.zeros(0, 2, 3)):
        with pytest.raises(ValueError, match="with enable_gqa the heads of key and value"):
            attention(heads, shared, shared, enable_gqa=True)
    with pytest.raises(ValueError, match="p must be from 0 to 1, got 2"):
        attention(x, x, x, dropout_p=2)
    with pytest.raises(TypeError, match="must be of floating-point type, not int64"):
        attention(dg.ones(4, 3, dtype=dg.int64), x, x)
