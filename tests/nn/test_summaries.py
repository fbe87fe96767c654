"""`summary`: counts by closed forms, and by PyTorch's counter."""

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn


def row(table, name=""):
    return next(layer for layer in table.layers if layer.name == name)


def test_linear():
    table = nn.summary(nn.Linear(64, 32), dg.zeros(8, 5, 64))
    (layer,) = table.layers
    assert (layer.kind, layer.name, layer.calls) == ("Linear", "", 1)
    assert layer.output == (8, 5, 32)
    assert layer.parameters == layer.trainable == 64 * 32 + 32
    assert layer.weight_bytes == 4 * layer.parameters
    assert layer.output_bytes == 4 * 8 * 5 * 32
    assert layer.flops == table.flops == 2 * 8 * 5 * 64 * 32


@pytest.mark.parametrize("groups", [1, 2])
def test_conv2d(groups):
    layer = nn.Conv2d(4, 6, (3, 5), stride=2, padding=1, groups=groups, bias=False)
    table = nn.summary(layer, dg.zeros(2, 4, 9, 11))
    height, width = 5, 5
    assert table.layers[0].output == (2, 6, height, width)
    assert table.parameters == 6 * 4 // groups * 15
    assert table.flops == 2 * (2 * 6 * height * width) * (4 // groups * 15)


def test_causal_self_attention():
    n, t, e = 2, 7, 12
    table = nn.summary(nn.CausalSelfAttention(e, num_heads=3), dg.zeros(n, t, e))
    assert row(table, "in_proj").flops == 2 * n * t * e * 3 * e
    assert row(table, "out_proj").flops == 2 * n * t * e * e
    assert row(table).flops == 2 * (2 * n * t * t * e)
    assert table.parameters == 4 * e * e + 4 * e
    assert [layer.parameters for layer in table.layers] == [0, 3 * e * e + 3 * e, e * e + e]


def test_what_has_no_products():
    for layer, x, parameters in (
        (nn.LayerNorm(6), dg.zeros(4, 6), 12),
        (nn.BatchNorm1d(6), dg.zeros(4, 6), 12),
        (nn.Embedding(10, 6), dg.zeros(4, 3, dtype=np.int64), 60),
        (nn.GELU(), dg.zeros(4, 6), 0),
    ):
        table = nn.summary(layer, x)
        assert (table.flops, table.parameters) == (0, parameters)
        assert table.output_bytes == 4 * 6 * (12 if isinstance(layer, nn.Embedding) else 4)
    assert nn.summary(nn.BatchNorm1d(6), dg.zeros(4, 6)).weight_bytes == 4 * 24 + 8


def test_a_gpt_in_closed_form():
    from distgrad.training.models import GPT

    layers, width, vocabulary, context, n = 2, 16, 11, 8, 3
    model = GPT(layers, width, 4, context, vocabulary)
    table = nn.summary(model, dg.zeros(n, context, dtype=np.int64))
    tokens = n * context
    block = 2 * tokens * 12 * width**2 + 2 * 2 * n * context**2 * width
    assert table.flops == layers * block + 2 * tokens * width * vocabulary
    assert table.parameters == sum(p.numel() for p in model.parameters())
    assert row(table).flops == 2 * tokens * width * vocabulary  # the output layer is a function
    assert row(table, "blocks.1").output == (n, context, width)


class Odd(nn.Module):
    """Calls a layer twice, never another, and returns a dictionary of views and new arrays."""

    def __init__(self):
        super().__init__()
        self.twice = nn.Linear(4, 4, bias=False)
        self.never = nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4, bias=False)
        self.tied.weight = self.twice.weight
        self.same = nn.Identity()
        self.flat = nn.Flatten()
        self.register_buffer("mean", dg.zeros(3))
        self.never.requires_grad_(False)

    def forward(self, x, *, scale):
        y = self.same(self.twice(self.twice(x)))
        return {"y": y, "more": [self.flat(y), y * scale], "scale": scale}


def test_calls_views_shared_and_frozen_weights():
    table = nn.summary(Odd(), dg.zeros(2, 4), scale=3.0)
    twice, never, tied = (row(table, name) for name in ("twice", "never", "tied"))
    assert (twice.calls, twice.flops, twice.output_bytes) == (2, 2 * 2 * 2 * 16, 2 * 32)
    assert (never.calls, never.output, never.parameters, never.trainable) == (0, None, 20, 0)
    assert (tied.parameters, tied.weight_bytes, tied.calls) == (0, 0, 0)
    assert row(table, "same").output_bytes == row(table, "flat").output_bytes == 0
    assert row(table).output == {"y": (2, 4), "more": ((2, 4), (2, 4)), "scale": "float"}
    assert row(table).output_bytes == 32
    assert row(table).weight_bytes == 12
    assert (table.parameters, table.trainable) == (36, 16)


def test_the_table():
    text = str(nn.summary(Odd(), dg.zeros(2, 4), scale=3.0)).splitlines()
    assert text[0].split() == ["layer", "output", "parameters", "weights", "outputs", "FLOPs"]
    assert "  twice: Linear x2" in text[3]
    assert "  never: Linear" in text[4]
    assert "not called" in text[4]
    assert text[-3:] == [
        "parameters  36, of which 16 are trained",
        "memory      156 B of weights, 96 B of outputs",
        "FLOPs       128 in a forward pass (products and convolutions)",
    ]


def test_nothing_is_changed():
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    model[0].eval()
    before = {name: value.data.copy() for name, value in model.state_dict().items()}
    with dg.autograd.random_scope(5):
        nn.summary(model, dg.randn(3, 4))
        drawn = dg.rand(1).item()
    with dg.autograd.random_scope(5):
        dg.randn(3, 4)
        assert dg.rand(1).item() == drawn
    assert [m.training for m in model.modules()] == [True, False, True, True]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.data, before[name])
    model(dg.randn(3, 4)).sum().backward()


def test_a_failing_model_is_left_as_it_was():
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2))
    with pytest.raises(ValueError, match="must have length 4"):
        nn.summary(model, dg.zeros(3, 5))
    assert all(m.training for m in model.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert nn.summary(model, dg.zeros(3, 4)).flops == 48


def test_what_is_no_model_or_no_input():
    with pytest.raises(TypeError, match=r"summary\(\) takes a Module, got function"):
        nn.summary(F.relu, dg.zeros(1))
    with pytest.raises(
        TypeError, match=r"\(8, 4\) looks like the shape of one; give distgrad.zeros"
    ):
        nn.summary(nn.Linear(4, 2), (8, 4))


MODELS = {
    "perceptron": (lambda n: n.Sequential(n.Linear(4, 8), n.Tanh(), n.Linear(8, 3)), [(5, 4)]),
    "convolutions": (
        lambda n: n.Sequential(
            n.Conv2d(2, 4, 3, padding=1),
            n.BatchNorm2d(4),
            n.ReLU(),
            n.MaxPool2d(2),
            n.Conv2d(4, 6, 3, stride=2, groups=2),
            n.ConvTranspose2d(6, 2, 3, stride=2, groups=2, padding=1),
            n.Flatten(2),
            n.Conv1d(2, 3, 2, dilation=2),
            n.ConvTranspose1d(3, 2, 3),
        ),
        [(3, 2, 12, 12)],
    ),
    "attention": (lambda n: n.MultiheadAttention(8, 2), [(3, 2, 8)] * 3),
    "transformer": (
        lambda n: n.TransformerDecoderLayer(8, 2, 16, dropout=0.0),
        [(3, 2, 8), (5, 2, 8)],
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_counts_are_those_of_pytorchs_counter(name):
    torch = pytest.importorskip("torch")
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    build, shapes = MODELS[name]
    # Its fused attention on CPUs is not counted.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        build(torch.nn)(*(torch.zeros(*shape) for shape in shapes))
    table = nn.summary(build(nn), *(dg.zeros(*shape) for shape in shapes))
    assert table.flops == counter.get_total_flops() > 0
    assert table.parameters == sum(p.numel() for p in build(torch.nn).parameters())
