import numpy as np
import pytest

import distgrad as dg
from distgrad import nn


def layer(**named):
    dg.manual_seed(0)
    return nn.CausalSelfAttention(6, 2, dtype=np.float64, **named)


def sequence(*shape):
    return dg.Tensor(np.random.default_rng(0).standard_normal(shape))


def test_head_by_head():
    module, x = layer(), sequence(2, 4, 6)
    packed = x.data @ module.in_proj.weight.data.T + module.in_proj.bias.data
    query, key, value = np.split(packed, 3, axis=-1)
    gathered = np.empty((2, 4, 6))
    for sample, head, place in np.ndindex(2, 2, 4):
        part = slice(3 * head, 3 * head + 3)
        seen = slice(0, place + 1)
        scores = key[sample, seen, part] @ query[sample, place, part] / np.sqrt(3)
        weights = np.exp(scores) / np.exp(scores).sum()
        gathered[sample, place, part] = weights @ value[sample, seen, part]
    expected = gathered @ module.out_proj.weight.data.T + module.out_proj.bias.data
    np.testing.assert_allclose(module(x).data, expected, rtol=1e-12)


def test_no_position_sees_what_comes_later():
    module, x = layer(), sequence(1, 5, 6)
    before = module(x).data
    x.data[:, 3:] += 1
    after = module(x).data
    np.testing.assert_array_equal(after[:, :3], before[:, :3])
    assert (after[:, 3:] != before[:, 3:]).all()


def test_gradients():
    module = layer(bias=False)
    assert module.in_proj.bias is None
    assert module.out_proj.bias is None
    x = sequence(1, 3, 6).requires_grad_()
    assert dg.autograd.gradcheck(lambda *_: module(x), [x, *module.parameters()])


def test_dropout_takes_away_weights_in_training_only():
    module, x = layer(dropout=0.5), sequence(2, 4, 6)
    with dg.autograd.random_scope(1):
        first = module(x).tolist()
    with dg.autograd.random_scope(1):
        assert module(x).tolist() == first
    with dg.autograd.random_scope(2):
        assert module(x).tolist() != first
    np.testing.assert_array_equal(module.eval()(x).data, layer()(x).data)


def test_it_is_pytorchs_multi_head_attention():
    torch = pytest.importorskip("torch")
    module, x = layer(), sequence(2, 5, 6)
    theirs = torch.nn.MultiheadAttention(6, 2, batch_first=True).double()
    state = {k.replace("in_proj.", "in_proj_"): v for k, v in module.state_dict().items()}
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in state.items()})
    ours, t = x.detach().requires_grad_(), torch.tensor(x.data, requires_grad=True)
    hidden = ~torch.ones(5, 5, dtype=torch.bool).tril()
    expected, _ = theirs(t, t, t, attn_mask=hidden)
    found = module(ours)
    np.testing.assert_allclose(found.data, expected.detach().numpy(), rtol=1e-11, atol=1e-13)
    (found**2).sum().backward()
    (expected**2).sum().backward()
    np.testing.assert_allclose(ours.grad.data, t.grad.numpy(), rtol=1e-10, atol=1e-12)
    for name, parameter in module.named_parameters():
        reference = theirs.get_parameter(name.replace("in_proj.", "in_proj_")).grad
        np.testing.assert_allclose(parameter.grad.data, reference.numpy(), rtol=1e-9, atol=1e-12)


def test_errors():
    with pytest.raises(ValueError, match="num_heads 4 does not divide embed_dim 6"):
        nn.CausalSelfAttention(6, 4)
    with pytest.raises(ValueError, match="num_heads 0 does not divide"):
        nn.CausalSelfAttention(6, 0)
    with pytest.raises(ValueError, match="dropout must be from 0 to 1, got 2"):
        nn.CausalSelfAttention(6, 2, dropout=2)
    with pytest.raises(ValueError, match=r"must have shape \(N, T, 6\), got \(4, 6\)"):
        layer()(dg.zeros(4, 6, dtype=np.float64))
