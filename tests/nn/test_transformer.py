"""Transformers: the layers, their stacks, and encoder and decoder together."""

import copy

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn
from distgrad.nn import functional as F

WIDTH = 4
ARGUMENTS = {"d_model": WIDTH, "nhead": 2, "dim_feedforward": 8, "dropout": 0.0}
CAUSAL = np.triu(np.ones((3, 3), bool), 1)
PADDING = np.array([[False, False, False], [False, False, True]])


def draws(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def tensor(*shape, seed=0):
    return dg.Tensor(draws(*shape, seed=seed))


def filled(module):
    for seed, parameter in enumerate(module.parameters()):
        parameter.data[...] = draws(*parameter.shape, seed=seed + 50)
    return module


def encoder_layer(**named):
    return filled(nn.TransformerEncoderLayer(**ARGUMENTS | named, dtype=np.float64))


def decoder_layer(**named):
    return filled(nn.TransformerDecoderLayer(**ARGUMENTS | named, dtype=np.float64))


def whole(**named):
    sizes = {"num_encoder_layers": 2, "num_decoder_layers": 2}
    return nn.Transformer(**ARGUMENTS | sizes | named, dtype=np.float64)


def same(found, expected, **tolerance):
    np.testing.assert_allclose(found, expected, **{"rtol": 1e-10, "atol": 1e-12} | tolerance)


def perceptron(layer, x, activation):
    hidden = activation(x @ layer.linear1.weight.data.T + layer.linear1.bias.data)
    return hidden @ layer.linear2.weight.data.T + layer.linear2.bias.data


def normal(norm, x):
    mean, deviation = x.mean(-1, keepdims=True), np.sqrt(x.var(-1, keepdims=True) + norm.eps)
    return (x - mean) / deviation * norm.weight.data + norm.bias.data


def attended(attention, x, memory):
    return attention(dg.Tensor(x), dg.Tensor(memory), dg.Tensor(memory))[0].data


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_layer_adds_its_branches(norm_first):
    def added(x, norm, branch):
        return x + branch(normal(norm, x)) if norm_first else normal(norm, x + branch(x))

    def relu(x):
        return np.maximum(x, 0)

    layer = encoder_layer(norm_first=norm_first)
    x = draws(3, 2, WIDTH)
    y = added(x, layer.norm1, lambda z: attended(layer.self_attn, z, z))
    y = added(y, layer.norm2, lambda z: perceptron(layer, z, relu))
    same(layer(dg.Tensor(x)).data, y)

    layer = decoder_layer(norm_first=norm_first, activation=lambda t: t * t)
    memory = draws(5, 2, WIDTH, seed=1)
    y = added(x, layer.norm1, lambda z: attended(layer.self_attn, z, z))
    y = added(y, layer.norm2, lambda z: attended(layer.multihead_attn, z, memory))
    y = added(y, layer.norm3, lambda z: perceptron(layer, z, np.square))
    same(layer(dg.Tensor(x), dg.Tensor(memory)).data, y)


def test_activations_by_name_function_and_module():
    x = tensor(3, 2, WIDTH)
    for name, function, module in (("relu", F.relu, nn.ReLU()), ("gelu", F.gelu, nn.GELU())):
        by_name, by_function = encoder_layer(activation=name), encoder_layer(activation=function)
        by_module = encoder_layer(activation=module)
        assert by_name(x).tolist() == by_function(x).tolist() == by_module(x).tolist()
        assert "activation" in dict(by_module.named_children())
    for kind in (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer):
        with pytest.raises(RuntimeError, match=r"should be 'relu' or 'gelu', or a f.*, not 'tanh"):
            kind(4, 2, activation="tanh")


def test_a_stack_goes_through_copies_of_its_layer():
    layer = encoder_layer()
    norm = filled(nn.LayerNorm(WIDTH, dtype=np.float64))
    stack = nn.TransformerEncoder(layer, 3, norm)
    x = tensor(3, 2, WIDTH)
    same(stack(x).data, norm(layer(layer(layer(x)))).data)
    assert len({id(p) for p in stack.parameters()} | {id(p) for p in layer.parameters()}) == 50
    stack.layers[0].linear1.bias.data[...] = 7
    assert not (stack.layers[1].linear1.bias.data == 7).any()
    layer = decoder_layer()
    memory = tensor(5, 2, WIDTH, seed=1)
    same(nn.TransformerDecoder(layer, 2)(x, memory).data, layer(layer(x, memory), memory).data)


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_mask_of_what_comes_later_is_recognised(batch_first):
    """However it is given, and whatever is said of it."""
    shape = (2, 3, WIDTH) if batch_first else (3, 2, WIDTH)
    x, memory = tensor(*shape), tensor(*shape, seed=1)
    encoder = nn.TransformerEncoder(encoder_layer(batch_first=batch_first), 2)
    decoder = nn.TransformerDecoder(decoder_layer(batch_first=batch_first), 2)
    terms = nn.Transformer.generate_square_subsequent_mask(3, dtype=np.float64)
    assert terms.tolist() == np.where(CAUSAL, -np.inf, 0).tolist()
    other = CAUSAL.copy()
    other[2, 0] = True
    for hidden in (CAUSAL, other):
        mask = dg.Tensor(hidden)
        by_terms = dg.Tensor(np.where(hidden, -np.inf, 0.0))
        expected = encoder(x, mask=mask, is_causal=False).data
        same(encoder(x, mask=mask).data, expected)
        same(encoder(x, mask=by_terms).data, expected)
        expected = decoder(x, memory, tgt_mask=mask, tgt_is_causal=False).data
        same(decoder(x, memory, tgt_mask=mask).data, expected)
        same(decoder(x, memory, tgt_mask=by_terms).data, expected)
    same(encoder(x, mask=terms, is_causal=True).data, encoder(x, mask=dg.Tensor(CAUSAL)).data)
    alone = x[0] if batch_first else x[:, 0]
    expected = encoder(alone, mask=terms, is_causal=False).data
    same(encoder(alone, mask=terms).data, expected)


@pytest.mark.parametrize("norm_first", [False, True])
def test_no_place_of_the_target_sees_what_comes_later(norm_first):
    dg.manual_seed(0)
    model = whole(norm_first=norm_first, batch_first=True)
    source, target = tensor(2, 5, WIDTH), tensor(2, 3, WIDTH, seed=1)
    mask = model.generate_square_subsequent_mask(3)
    before = model(source, target, tgt_mask=mask).data
    target.data[:, 2, 0] += 1
    after = model(source, target, tgt_mask=mask).data
    np.testing.assert_array_equal(after[:, :2], before[:, :2])
    assert (after[:, 2] != before[:, 2]).all()


def test_padding_is_not_looked_at():
    dg.manual_seed(0)
    model = whole(batch_first=True)
    source, target = tensor(2, 3, WIDTH), tensor(2, 3, WIDTH, seed=1)
    masks = ("src_key_padding_mask", "memory_key_padding_mask", "tgt_key_padding_mask")
    padding = dict.fromkeys(masks, dg.Tensor(PADDING))
    before = model(source, target, **padding).data
    source.data[1, 2, 0] += 1
    np.testing.assert_array_equal(model(source, target, **padding).data, before)
    same(model(source[1:, :2], target[1:, :2]).data[0], before[1, :2])


@pytest.mark.parametrize("norm_first", [False, True])
def test_gradients_of_every_order(norm_first):
    dg.manual_seed(0)
    model = whole(
        norm_first=norm_first,
        activation="gelu",
        num_encoder_layers=1,
        num_decoder_layers=1,
        dim_feedforward=2,
        batch_first=True,
    )
    inputs = [tensor(1, 2, WIDTH, seed=s).requires_grad_() for s in (1, 2)]
    mask = model.generate_square_subsequent_mask(2)
    padding = dg.Tensor(np.array([[False, True]]))

    def run(source, target, *_):
        return model(source, target, tgt_mask=mask, src_key_padding_mask=padding)

    parameters = [p for name, p in model.named_parameters() if "encoder.layers" in name]
    assert dg.autograd.gradcheck(run, [*inputs, *parameters])
    assert dg.autograd.gradgradcheck(run, inputs)


def test_dropout_is_drawn_from_the_random_scope():
    x = tensor(8, 2, WIDTH)
    layer = encoder_layer(dropout=0.5)
    with dg.autograd.random_scope(1):
        first, second = layer(x).tolist(), layer(x).tolist()
    with dg.autograd.random_scope(1):
        assert layer(x).tolist() == first
    assert first != second
    same(layer.eval()(x).data, encoder_layer()(x).data)
    rates = [m.p for m in layer.modules() if isinstance(m, nn.Dropout)]
    assert rates == [0.5] * 3
    assert layer.self_attn.dropout == 0.5


def test_initial_values():
    dg.manual_seed(0)
    model = nn.Transformer(32, 4, 1, 1, 64)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            bound = np.sqrt(6 / sum(parameter.shape))
            assert 0.9 * bound < np.abs(parameter.data).max() <= bound, name
        elif "norm" in name and "weight" in name:
            assert (parameter.data == 1).all()
        elif "norm" in name or "proj" in name:
            assert not parameter.data.any()
    assert all(p.dtype == np.float32 for p in model.parameters())


def test_own_encoder_and_decoder():
    class Encoder(nn.Module):
        def forward(self, src, mask, src_key_padding_mask, is_causal):
            assert (mask, src_key_padding_mask, is_causal) == (None, None, None)
            return src * 2

    class Decoder(nn.Module):
        def forward(self, tgt, memory, **named):
            return tgt + memory

    model = nn.Transformer(WIDTH, custom_encoder=Encoder(), custom_decoder=Decoder())
    assert model(dg.ones(3, WIDTH), dg.ones(3, WIDTH)).tolist() == [[3] * WIDTH] * 3


def test_what_does_not_fit():
    model = nn.Transformer(WIDTH, 2, 1, 1, 8)
    x = dg.zeros(3, 2, WIDTH)
    message = r"batch number of src and tgt must be equal: axis 1 of \(3, 2, 4\) and of \(3, 1, 4"
    with pytest.raises(RuntimeError, match=message):
        model(x, x[:, :1])
    model.batch_first = True
    with pytest.raises(RuntimeError, match="must be equal: axis 0 of"):
        model(x, x[:1])
    with pytest.raises(RuntimeError, match=r"equal to d_model = 4: the last axis of \(3, 2, 3\)"):
        model(x[..., 1:], x)
    for kind in (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer):
        with pytest.raises(ValueError, match="num_heads 3 does not divide embed_dim 4"):
            kind(4, 3)
        with pytest.raises(ValueError, match="between 0 and 1"):
            kind(4, 2, dropout=1.5)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 1)
    for name in ("mask", "src_key_padding_mask"):
        with pytest.raises(TypeError, match=f"^{name} must hold truth values"):
            encoder(x, **{name: dg.zeros(3, 3, dtype=np.int64)})


def test_evaluation_gives_out_zeros_at_padded_places_as_pytorch_does():
    def places(grad=False, training=False, padding=PADDING, mask=None, own=(), **named):
        layer = encoder_layer(**{"batch_first": True} | named)
        encoder = nn.TransformerEncoder(layer, 1, *own).train(training)
        mask = None if mask is None else dg.Tensor(mask)
        x = tensor(2, 3, WIDTH)
        with dg.set_grad_enabled(grad):
            output = encoder(x, mask, dg.Tensor(padding)).data
            full = encoder.train()(x, mask, dg.Tensor(padding)).data
        zeros = (output == 0).all(-1)
        same(output[~zeros], full[~zeros])
        return zeros.tolist()

    nowhere = [[False] * 3] * 2
    assert places() == PADDING.tolist()
    assert places(activation=nn.GELU()) == PADDING.tolist()
    for named in (
        {"grad": True},
        {"training": True},
        {"mask": CAUSAL},
        {"own": (None, False)},
        {"norm_first": True},
        {"bias": False},
        {"activation": F.silu},
        {"nhead": 1},
        {"padding": PADDING[:, ::-1].copy()},
    ):
        assert places(**named) == nowhere, named
    assert places(padding=PADDING[:, ::-1].copy(), own=(None, True, False)) == [
        [False, False, False],
        [True, False, False],
    ]


@pytest.mark.parametrize(
    "named",
    [
        {"norm_first": False, "batch_first": False, "bias": True},
        {"norm_first": False, "batch_first": True, "bias": False},
        {"norm_first": True, "batch_first": True, "bias": True},
    ],
    ids=str,
)
def test_values_gradients_and_state_are_pytorchs(named):
    torch = pytest.importorskip("torch")
    sizes = {"num_encoder_layers": 2, "num_decoder_layers": 2, "layer_norm_eps": 1e-4}
    arguments = ARGUMENTS | sizes | named | {"activation": "gelu"}
    dg.manual_seed(0)
    ours = nn.Transformer(**arguments, dtype=np.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # about PyTorch's fast path
        theirs = torch.nn.Transformer(**arguments, dtype=torch.float64)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    for parameter in ours.parameters():
        parameter.data += 0.1
    theirs.load_state_dict({k: torch.tensor(v.data) for k, v in ours.state_dict().items()})
    shape = (2, 3, WIDTH) if named["batch_first"] else (3, 2, WIDTH)
    arrays = [draws(*shape), draws(*shape, seed=1)]
    masks = {
        "src_mask": np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], bool),
        "tgt_mask": CAUSAL,
        "src_key_padding_mask": PADDING,
        "memory_key_padding_mask": PADDING,
    }
    mine = [dg.Tensor(a, requires_grad=True) for a in arrays]
    other = [torch.tensor(a, requires_grad=True) for a in arrays]
    found = ours(*mine, **{k: dg.Tensor(m) for k, m in masks.items()})
    expected = theirs(*other, **{k: torch.tensor(m) for k, m in masks.items()})
    same(found.data, expected.detach().numpy())
    (found**3).sum().backward()
    (expected**3).sum().backward()
    leaves = [*mine, *ours.parameters()], [*other, *theirs.parameters()]
    for x, reference in zip(*leaves, strict=True):
        same(x.grad.data, reference.grad.numpy(), rtol=1e-8, atol=1e-10)


def test_a_layer_can_be_copied():
    layer = decoder_layer()
    again = copy.deepcopy(layer)
    x = tensor(3, 2, WIDTH)
    assert again(x, x).tolist() == layer(x, x).tolist()
    assert repr(again) == repr(layer)
