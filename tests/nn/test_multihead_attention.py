"""`MultiheadAttention`."""

import numpy as np
import pytest
import scipy.special

import distgrad as dg
from distgrad import nn
from distgrad.nn import functional as F

WIDTH, HEADS = 6, 2
FORMS = {
    "plain": {},
    "no bias": {"bias": False},
    "own sizes": {"kdim": 5, "vdim": 3},
    "own value size": {"vdim": 3, "bias": False},
    "learned key": {"add_bias_kv": True},
    "zero key": {"add_zero_attn": True},
    "both keys": {"add_bias_kv": True, "add_zero_attn": True, "kdim": 4},
}


def draws(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def layer(**named):
    dg.manual_seed(0)
    module = nn.MultiheadAttention(WIDTH, HEADS, dtype=np.float64, **named)
    for seed, parameter in enumerate(module.parameters()):
        parameter.data[...] = draws(*parameter.shape, seed=seed + 50)  # biases begin as zeros
    return module


def triple(module, samples=2, queries=4, keys=5):
    """Queries, keys and values with the samples first."""
    return [
        draws(samples, queries, WIDTH),
        draws(samples, keys, module.kdim, seed=1),
        draws(samples, keys, module.vdim, seed=2),
    ]


def given(module, arrays):
    order = [a if module.batch_first else np.swapaxes(a, 0, 1) for a in arrays]
    return [dg.Tensor(np.ascontiguousarray(a)) for a in order]


def reference(module, query, key, value, terms=0.0):
    """Sample by sample and head by head; terms of shape (N, heads, L, S with the added keys)."""
    state = {name: p.data for name, p in module.named_parameters()}
    if "in_proj_weight" in state:
        weights = np.split(state["in_proj_weight"], 3)
    else:
        weights = [state[f"{name}_proj_weight"] for name in "qkv"]
    biases = np.split(state.get("in_proj_bias", np.zeros(3 * WIDTH)), 3)
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, value), weights, biases, strict=True))
    row = (len(q), 1, WIDTH)
    if "bias_k" in state:
        k = np.concatenate([k, np.broadcast_to(state["bias_k"], row)], 1)
        v = np.concatenate([v, np.broadcast_to(state["bias_v"], row)], 1)
    if module.add_zero_attn:
        k, v = (np.concatenate([x, np.zeros(row)], 1) for x in (k, v))
    weights = np.empty((len(q), HEADS, q.shape[1], k.shape[1]))
    gathered = np.empty(q.shape)
    terms = np.broadcast_to(terms, weights.shape)
    for sample, head in np.ndindex(*weights.shape[:2]):
        part = slice(head * WIDTH // HEADS, (head + 1) * WIDTH // HEADS)
        scores = q[sample, :, part] @ k[sample, :, part].T / np.sqrt(WIDTH / HEADS)
        weights[sample, head] = scipy.special.softmax(scores + terms[sample, head], -1)
        gathered[sample, :, part] = weights[sample, head] @ v[sample, :, part]
    return gathered @ state["out_proj.weight"].T + state.get("out_proj.bias", 0.0), weights


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_sample_by_sample_and_head_by_head(form, batch_first):
    module = layer(**FORMS[form], batch_first=batch_first)
    arrays = triple(module)
    expected, weights = reference(module, *arrays)
    tensors = given(module, arrays)
    output, looks = module(*tensors, average_attn_weights=False)
    same(output.data if batch_first else np.swapaxes(output.data, 0, 1), expected)
    same(looks.data, weights)
    same(module(*tensors)[1].data, weights.mean(1))
    output, looks = module(*tensors, need_weights=False)
    same(output.data if batch_first else np.swapaxes(output.data, 0, 1), expected)
    assert looks is None


@pytest.mark.parametrize("form", FORMS)
def test_without_a_batch(form):
    module = layer(**FORMS[form], batch_first=True)
    arrays = triple(module, samples=1)
    terms = draws(HEADS, 4, 5)
    padding = np.array([False, True, False, False, True])
    masks = {"attn_mask": dg.Tensor(terms), "key_padding_mask": dg.Tensor(padding)}
    alone = [dg.Tensor(a[0]) for a in arrays]
    batch = {"attn_mask": masks["attn_mask"], "key_padding_mask": dg.Tensor(padding[None])}
    for named in ({}, {"average_attn_weights": False}, {"need_weights": False}):
        output, looks = module(*alone, **masks, **named)
        expected, weights = module(*[x.unsqueeze(0) for x in alone], **batch, **named)
        same(output.data, expected.data[0])
        assert (looks is None) == (weights is None)
        if looks is not None:
            same(looks.data, weights.data[0])


def padded(terms, module):
    """The keys that the layer adds are seen by all."""
    extra = (module.bias_k is not None) + module.add_zero_attn
    return np.pad(terms, [(0, 0)] * (terms.ndim - 1) + [(0, extra)])


HIDDEN = np.array([[0, 1, 0, 0, 1], [0, 0, 0, 1, 1], [1, 1, 1, 1, 0], [0, 0, 0, 0, 0]], bool)
PADDING = np.array([[0, 0, 0, 0, 0], [0, 0, 0, 1, 0]], bool)


def as_terms(mask):
    return np.where(mask, -np.inf, 0.0)


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("form", ["plain", "own sizes", "both keys"])
def test_masks(form, need_weights):
    module = layer(**FORMS[form], batch_first=True)
    arrays = triple(module)
    tensors = given(module, arrays)
    terms, by_head = draws(4, 5, seed=8), draws(2 * HEADS, 4, 5, seed=9)
    rows = as_terms(PADDING)[:, None, None]
    cases = [
        (HIDDEN, None, as_terms(HIDDEN)),
        (terms, None, terms),
        (by_head, None, by_head.reshape(2, HEADS, 4, 5)),
        (None, PADDING, rows),
        (None, rows[:, 0, 0], rows),
        (HIDDEN, PADDING, as_terms(HIDDEN) + rows),
        (by_head, PADDING, by_head.reshape(2, HEADS, 4, 5) + rows),
    ]
    for mask, padding, expected in cases:
        masks = {
            "attn_mask": None if mask is None else dg.Tensor(mask),
            "key_padding_mask": None if padding is None else dg.Tensor(padding),
        }
        found, _ = module(*tensors, **masks, need_weights=need_weights)
        same(found.data, reference(module, *arrays, padded(expected, module))[0])


def test_one_object_is_mapped_once():
    module = layer()
    x, y, z = (dg.Tensor(draws(5, 2, WIDTH, seed=seed)) for seed in range(3))
    for query, key, value in ((x, x, x), (x, y, y), (x, x, y), (x, y, x), (x, y, z)):
        found, _ = module(query, key, value)
        expected, _ = module(*(dg.Tensor(t.data.copy()) for t in (query, key, value)))
        same(found.data, expected.data)


def test_the_causal_hint_stands_for_the_mask():
    module = layer(batch_first=True)
    x = dg.Tensor(draws(2, 5, WIDTH))
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=np.float64)
    expected, _ = module(x, x, x, attn_mask=mask)
    for padding in (None, dg.zeros(2, 5, dtype=np.bool_)):
        for need_weights in (False, True):
            named = {"key_padding_mask": padding, "need_weights": need_weights}
            found, _ = module(x, x, x, attn_mask=mask, is_causal=True, **named)
            same(found.data, expected.data)
    with pytest.raises(RuntimeError, match=r"says what attn_mask is, .*subsequent_mask\(L\)"):
        module(x, x, x, is_causal=True)


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("form", ["plain", "both keys"])
def test_gradients_of_every_order(form, need_weights):
    module = layer(**FORMS[form], batch_first=True)
    inputs = [t.requires_grad_() for t in given(module, triple(module, 1, 2, 2))]
    terms = dg.Tensor(draws(2, 2), requires_grad=True)

    def run(query, key, value, terms, *_):
        output, weights = module(query, key, value, attn_mask=terms, need_weights=need_weights)
        return output if weights is None else (output, weights)

    parameters = list(module.parameters())
    assert dg.autograd.gradcheck(run, [*inputs, terms, *parameters])
    assert dg.autograd.gradgradcheck(run, [*inputs, terms])


def test_a_query_that_sees_nothing():
    module = layer(batch_first=True)
    x = dg.Tensor(draws(1, 3, WIDTH))
    hidden = dg.Tensor(np.array([[False, True, True], [True, True, True], [False] * 3]))
    output, weights = module(x, x, x, attn_mask=hidden)
    assert np.isnan(output.data[0, 1]).all()
    assert np.isnan(weights.data[0, 1]).all()
    assert np.isfinite(output.data[0, [0, 2]]).all()
    output, _ = module(x, x, x, attn_mask=hidden, need_weights=False)
    same(output.data[0, 1], module.out_proj.bias.data)


def test_dropout_takes_away_weights_in_training_only():
    x = dg.Tensor(draws(2, 8, WIDTH))
    for need_weights in (False, True):
        module = layer(dropout=0.5, batch_first=True)

        def output(seed, module=module, need_weights=need_weights):
            with dg.autograd.random_scope(seed):
                return module(x, x, x, need_weights=need_weights)[0].tolist()

        assert output(1) == output(1)
        assert output(1) != output(2)
        same(module.eval()(x, x, x)[0].data, layer(batch_first=True)(x, x, x)[0].data)
    with dg.autograd.random_scope(0):
        _, weights = module.train()(x, x, x, average_attn_weights=False)
    kept = module.eval()(x, x, x, average_attn_weights=False)[1].data * 2
    dropped = weights.data == 0
    assert 0.3 < dropped.mean() < 0.7
    same(weights.data, np.where(dropped, 0, kept))


def test_initial_values():
    dg.manual_seed(3)
    module = nn.MultiheadAttention(64, 4, add_bias_kv=True)
    for bias in (module.in_proj_bias, module.out_proj.bias):
        assert not bias.data.any()
    bound = np.sqrt(6 / (64 + 3 * 64))
    assert 0.98 * bound < np.abs(module.in_proj_weight.data).max() <= bound
    assert 0.95 / 8 < np.abs(module.out_proj.weight.data).max() <= 1 / 8
    assert 0.06 < module.bias_k.data.std() < 0.2  # sqrt(2 / 128) = 0.125
    separate = nn.MultiheadAttention(64, 4, kdim=32)
    for name, fan_in in (("q", 64), ("k", 32), ("v", 64)):
        bound = np.sqrt(6 / (64 + fan_in))
        weight = getattr(separate, f"{name}_proj_weight")
        assert 0.95 * bound < np.abs(weight.data).max() <= bound
    assert module.in_proj_weight.dtype == np.float32


def test_names_and_text():
    assert {n: p.shape for n, p in layer(add_bias_kv=True).named_parameters()} == {
        "in_proj_weight": (18, 6),
        "in_proj_bias": (18,),
        "bias_k": (1, 1, 6),
        "bias_v": (1, 1, 6),
        "out_proj.weight": (6, 6),
        "out_proj.bias": (6,),
    }
    assert [*layer(kdim=3, bias=False).state_dict()] == [
        "q_proj_weight",
        "k_proj_weight",
        "v_proj_weight",
        "out_proj.weight",
    ]
    assert repr(layer(bias=False)) == (
        "MultiheadAttention(\n"
        "  (out_proj): NonDynamicallyQuantizableLinear("
        "in_features=6, out_features=6, bias=False)\n)"
    )


def test_sizes_that_do_not_fit_a_layer():
    for heads in (4, 0, -1):
        with pytest.raises(ValueError, match=f"num_heads {heads} does not divide embed_dim 6"):
            nn.MultiheadAttention(6, heads)
    with pytest.raises(ValueError, match="does not divide embed_dim 0; each head takes"):
        nn.MultiheadAttention(0, 1)


def test_inputs_that_do_not_fit():
    module, wide = layer(), layer(kdim=5)
    x = dg.Tensor(draws(4, 2, WIDTH))
    y = dg.Tensor(draws(4, 3, WIDTH))
    for inputs in ((x, y, y), (x, x, x[1:]), (x, x[0], x[0]), (x[0, 0],) * 3, (x[None],) * 3):
        with pytest.raises(ValueError, match=r"must have shapes \(L, N, E\), .* got, with N as"):
            module(*inputs)
    with pytest.raises(ValueError, match=r"query must have embed_dim = 6 features, got \(4, 2, 5"):
        module(x[..., 1:], x, x)
    with pytest.raises(ValueError, match=r"must have length 6 .* shape \(2, 4, 5\)"):
        module(x, x[..., 1:], x)
    with pytest.raises(ValueError, match=r"k_proj_weight must have shape \(6, 6\), got \(6, 5\)"):
        wide(x, x, x)
    with pytest.raises(RuntimeError, match="must have one data type, got float32, float64"):
        module(*[x.to(np.float32)] * 3)


def test_masks_that_do_not_fit():
    module = layer()
    x, y = dg.Tensor(draws(4, 2, WIDTH)), dg.Tensor(draws(5, 2, WIDTH))
    for shape in ((5, 4), (2, 4, 5), (4,), (1, 4, 4, 5)):
        message = r"attn_mask must have shape \(L, S\) = \(4, 5\) or .* = \(4, 4, 5\), got \("
        with pytest.raises(ValueError, match=message):
            module(x, y, y, attn_mask=dg.zeros(*shape, dtype=np.bool_))
    for shape in ((5, 2), (2, 6), (5,)):
        with pytest.raises(ValueError, match=r"must have shape \(N, S\) = \(2, 5\), got \("):
            module(x, y, y, key_padding_mask=dg.zeros(*shape, dtype=np.bool_))
    with pytest.raises(ValueError, match=r"without a batch, of shape \(4, 6\), .* got \(1, 5\)"):
        module(x[:, 0], y[:, 0], y[:, 0], key_padding_mask=dg.zeros(1, 5, dtype=np.bool_))
    for name, shape in (("attn_mask", (4, 5)), ("key_padding_mask", (2, 5))):
        with pytest.raises(TypeError, match=f"{name} must hold truth values.* got int64; convert"):
            module(x, y, y, **{name: dg.zeros(*shape, dtype=np.int64)})
    with pytest.raises(RuntimeError, match=r"their data type float64, got float32; .*\.to\(\)"):
        module(x, y, y, attn_mask=dg.zeros(4, 5))
    same(
        module(x, y, y, attn_mask=dg.zeros(4, 5), need_weights=False)[0].data,
        module(x, y, y)[0].data,
    )


def test_the_function_takes_keys_and_values_that_are_ready():
    module = layer()
    x = dg.Tensor(draws(4, 2, WIDTH))
    ready = [dg.Tensor(draws(2 * HEADS, 7, WIDTH // HEADS, seed=s)) for s in (1, 2)]
    arguments = [x, x, x, WIDTH, HEADS, module.in_proj_weight, module.in_proj_bias]
    mixing = [False, 0.0, module.out_proj.weight, module.out_proj.bias]
    attend = F.multi_head_attention_forward
    for need_weights in (False, True):
        named = {"static_k": ready[0], "static_v": ready[1], "need_weights": need_weights}
        output, _ = attend(*arguments, None, None, *mixing, **named)
        q = x.data @ module.in_proj_weight.data[:WIDTH].T + module.in_proj_bias.data[:WIDTH]
        heads = q.reshape(4, 2, HEADS, -1).transpose(1, 2, 0, 3)
        keys, values = (t.data.reshape(2, HEADS, 7, -1) for t in ready)
        looks = scipy.special.softmax(heads @ keys.swapaxes(2, 3) / np.sqrt(3), -1)
        gathered = (looks @ values).transpose(2, 0, 1, 3).reshape(4, 2, WIDTH)
        same(output.data, gathered @ mixing[2].data.T + mixing[3].data)
    one = dg.zeros(WIDTH, dtype=np.float64)
    with pytest.raises(ValueError, match=r"static_k must .* and no bias_k .* got \(4, 7, 3\)"):
        attend(*arguments, one, one, *mixing, static_k=ready[0], static_v=ready[1])
    with pytest.raises(ValueError, match=r"static_v must have shape .* = \(4, S, 3\), and no"):
        attend(*arguments, None, None, *mixing, static_v=ready[1][1:])
    with pytest.raises(ValueError, match="bias_k and bias_v must both be given, or neither"):
        attend(*arguments, one, None, *mixing)
    with pytest.raises(ValueError, match=r"in_proj_weight must have shape \(18, 6\), got None"):
        attend(*arguments[:5], None, None, None, None, *mixing)
    with pytest.raises(ValueError, match=r"in_proj_bias must have shape \(18,\), got \(6,\)"):
        attend(*arguments[:6], one, None, None, *mixing)
    with pytest.raises(ValueError, match=r"q_proj_weight must have shape \(6, 6\), got None"):
        attend(*arguments, None, None, *mixing, use_separate_proj_weight=True)
    with pytest.raises(ValueError, match="num_heads 4 does not divide embed_dim 6"):
        attend(*arguments[:4], 4, *arguments[5:], None, None, *mixing)


def test_nothing_to_attend():
    module = layer()
    nobody = dg.zeros(4, 0, WIDTH, dtype=np.float64)
    output, weights = module(nobody, nobody, nobody)
    assert (output.shape, weights.shape) == ((4, 0, WIDTH), (0, 4, 4))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("form", FORMS)
def test_values_gradients_and_state_are_pytorchs(form, dtype):
    torch = pytest.importorskip("torch")
    ours = layer(**FORMS[form], batch_first=True)
    theirs = torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, **FORMS[form])
    assert repr(theirs) == repr(ours)
    assert [n for n, _ in theirs.named_parameters()] == [n for n, _ in ours.named_parameters()]
    theirs.to(getattr(torch, dtype))
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    arrays = [a.astype(dtype) for a in triple(ours)]
    for parameter in ours.parameters():
        parameter.data = parameter.data.astype(dtype)
    theirs.load_state_dict({k: torch.tensor(v.data) for k, v in ours.state_dict().items()})
    inputs = [dg.Tensor(a, requires_grad=True) for a in arrays]
    references = [torch.tensor(a, requires_grad=True) for a in arrays]
    tolerance = (
        {"rtol": 1e-9, "atol": 1e-12} if dtype == "float64" else {"rtol": 2e-4, "atol": 1e-5}
    )
    for need_weights in (False, True):
        masks = {"attn_mask": HIDDEN, "key_padding_mask": PADDING}
        found = ours(
            *inputs, **{k: dg.Tensor(m) for k, m in masks.items()}, need_weights=need_weights
        )
        expected = theirs(
            *references, **{k: torch.tensor(m) for k, m in masks.items()}, need_weights=need_weights
        )
        assert (found[1] is None) == (expected[1] is None)
        for mine, other in zip(found, expected, strict=True):
            if mine is not None:
                np.testing.assert_allclose(mine.data, other.detach().numpy(), **tolerance)
        (found[0] ** 2).sum().backward()
        (expected[0] ** 2).sum().backward()
        leaves = [*inputs, *ours.parameters()], [*references, *theirs.parameters()]
        for mine, other in zip(*leaves, strict=True):
            np.testing.assert_allclose(mine.grad.data, other.grad.numpy(), **tolerance)
