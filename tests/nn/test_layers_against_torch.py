"""Layers and losses: text, state, initial values, results and gradients are PyTorch's."""

from typing import Any

import numpy as np
import pytest
from helpers.halves import NEEDS_BFLOAT16

import distgrad as dg
from distgrad import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:.*batchmean", "ignore:.*does not match num_feat")

X, CHANNELS, IMAGES = (3, 4), (2, 6, 5), (2, 6, 3, 4)
SIGNS = np.array([1.0, -1.0, 1.0])
CLASSES = np.array([0, 3, 1])
WEIGHT = np.array([0.5, 2.0, 1.0, 0.25])

# (name, arguments, named arguments, inputs: shapes of draws, or arrays)
LAYERS: list[tuple[str, tuple[Any, ...], dict[str, Any], list[Any]]] = [
    ("Sigmoid", (), {}, [X]),
    ("LogSigmoid", (), {}, [X]),
    ("Tanh", (), {}, [X]),
    ("Tanhshrink", (), {}, [X]),
    ("Softsign", (), {}, [X]),
    ("Softplus", (), {}, [X]),
    ("Softplus", (2, 0.5), {}, [X]),
    ("GELU", (), {}, [X]),
    ("GELU", (), {"approximate": "tanh"}, [X]),
    ("SiLU", (), {}, [X]),
    ("Mish", (), {}, [X]),
    ("GLU", (), {}, [X]),
    ("GLU", (0,), {}, [(4, 3)]),
    ("ReLU", (), {}, [X]),
    ("LeakyReLU", (), {}, [X]),
    ("LeakyReLU", (0.3,), {}, [X]),
    ("PReLU", (), {}, [X]),
    ("PReLU", (4, 0.1), {}, [X]),
    ("ELU", (), {}, [X]),
    ("ELU", (0.5,), {}, [X]),
    ("CELU", (2.0,), {}, [X]),
    ("SELU", (), {}, [X]),
    ("ReLU6", (), {}, [X]),
    ("Hardtanh", (), {}, [X]),
    ("Hardtanh", (-0.5, 0.25), {}, [X]),
    ("Hardswish", (), {}, [X]),
    ("Hardshrink", (), {}, [X]),
    ("Softshrink", (0.25,), {}, [X]),
    ("Threshold", (0.1, -2.0), {}, [X]),
    ("Softmax", (1,), {}, [X]),
    ("Softmin", (0,), {}, [X]),
    ("LogSoftmax", (-1,), {}, [X]),
    ("Softmax2d", (), {}, [IMAGES]),
    ("Linear", (4, 2), {"bias": False}, [X]),
    ("Bilinear", (4, 2, 3), {}, [X, (3, 2)]),
    ("Bilinear", (4, 2, 3), {"bias": False}, [(2, 3, 4), (2, 3, 2)]),
    ("LayerNorm", (4,), {}, [X]),
    ("LayerNorm", ((5, 3),), {"bias": False}, [(2, 5, 3)]),
    ("RMSNorm", (4,), {}, [X]),
    ("RMSNorm", ([6, 5], 0.1, False), {}, [CHANNELS]),
    ("GroupNorm", (3, 6), {}, [CHANNELS]),
    ("GroupNorm", (2, 6, 0.1), {"bias": False}, [IMAGES]),
    ("GroupNorm", (6, 6), {"affine": False}, [(0, 6, 2)]),
    ("LocalResponseNorm", (3,), {}, [CHANNELS]),
    ("LocalResponseNorm", (2, 0.1, 0.5, 2.0), {}, [IMAGES]),
    ("BatchNorm1d", (6,), {}, [(4, 6)]),
    ("BatchNorm1d", (6,), {"bias": False}, [CHANNELS]),
    ("BatchNorm2d", (6, 0.1, None), {}, [IMAGES]),
    ("BatchNorm2d", (6,), {"affine": False, "track_running_stats": False}, [IMAGES]),
    ("BatchNorm3d", (6,), {}, [(2, 6, 2, 1, 3)]),
    ("InstanceNorm1d", (6,), {}, [CHANNELS]),
    ("InstanceNorm1d", (6,), {"affine": True, "track_running_stats": True}, [(6, 5)]),
    ("InstanceNorm1d", (3,), {}, [(6, 5)]),
    ("InstanceNorm2d", (6,), {"momentum": 0.3, "track_running_stats": True}, [IMAGES]),
    ("InstanceNorm2d", (6,), {"momentum": None, "track_running_stats": True}, [IMAGES]),
    ("InstanceNorm2d", (6,), {"affine": True, "bias": False}, [IMAGES]),
    ("InstanceNorm3d", (6,), {"affine": True}, [(6, 2, 1, 3)]),
    ("Embedding", (5, 3), {"scale_grad_by_freq": True}, [np.array([[1, 4], [1, 1]])]),
    ("Embedding", (5, 3, -1, 0.5, 1.0), {}, [np.array([[1, 4], [1, 1]])]),
    ("Dropout", (0.0,), {}, [X]),
    ("Dropout1d", (1.0,), {}, [CHANNELS]),
    ("Dropout2d", (1.0,), {}, [IMAGES]),
    ("Dropout3d", (1.0,), {}, [(2, 6, 3, 4, 1)]),
    ("AlphaDropout", (1.0,), {}, [X]),
    ("FeatureAlphaDropout", (1.0,), {}, [X]),
    ("Flatten", (), {}, [IMAGES]),
    ("Unflatten", (1, (2, 3)), {}, [CHANNELS]),
    ("Unflatten", (-1, [1, -1]), {}, [CHANNELS]),
    ("Identity", (3, "anything"), {"other": 1}, [X]),
    ("CosineSimilarity", (), {}, [X, X]),
    ("CosineSimilarity", (0, 2.0), {}, [X, X]),
    ("PairwiseDistance", (), {}, [X, X]),
    ("PairwiseDistance", (1.0, 0.1, True), {}, [X, X]),
    ("L1Loss", (), {}, [X, X]),
    ("MSELoss", (), {"reduction": "sum"}, [X, X]),
    ("SmoothL1Loss", (), {"beta": 0.5}, [X, X]),
    ("HuberLoss", ("sum", 0.5), {}, [X, X]),
    ("PoissonNLLLoss", (), {}, [X, X]),
    ("PoissonNLLLoss", (False, True), {"eps": 0.1}, [WEIGHT, 3 * WEIGHT]),
    ("GaussianNLLLoss", (), {"full": True, "reduction": "none"}, [X, X, np.array([1.0, 2.0, 0.5])]),
    ("KLDivLoss", (), {"reduction": "batchmean", "log_target": True}, [X, X]),
    ("BCELoss", (WEIGHT,), {}, [WEIGHT / 2, WEIGHT / 3]),
    ("BCEWithLogitsLoss", (), {}, [X, X]),
    ("BCEWithLogitsLoss", (WEIGHT,), {"pos_weight": WEIGHT + 1}, [X, X]),
    ("CrossEntropyLoss", (), {}, [X, CLASSES]),
    ("CrossEntropyLoss", (WEIGHT,), {"ignore_index": 3, "label_smoothing": 0.1}, [X, CLASSES]),
    ("NLLLoss", (WEIGHT,), {"ignore_index": 3, "reduction": "sum"}, [X, CLASSES]),
    ("HingeEmbeddingLoss", (0.5,), {}, [(3,), SIGNS]),
    ("MarginRankingLoss", (0.5,), {}, [(3,), (3,), SIGNS]),
    ("CosineEmbeddingLoss", (0.1,), {}, [X, X, SIGNS]),
    ("SoftMarginLoss", (), {}, [(3,), SIGNS]),
    ("TripletMarginLoss", (2.0, 1.0, 1e-3, True), {}, [X, X, X]),
    ("TripletMarginWithDistanceLoss", (), {"margin": 0.5, "swap": True}, [X, X, X]),
    ("MultiMarginLoss", (), {}, [X, CLASSES]),
    ("MultiMarginLoss", (2, 0.5, WEIGHT), {"reduction": "none"}, [X, CLASSES]),
    ("MultiLabelMarginLoss", (), {}, [X, np.array([[0, 3, -1, 1], [-1, 1, 2, 0], [2, 2, 1, 0]])]),
    ("MultiLabelSoftMarginLoss", (WEIGHT,), {}, [X, np.ones(X)]),
]


def of(library: Any, value: Any) -> Any:
    """The value for one of the two libraries, whose tensors do not ask for a gradient."""
    return library.tensor(value) if isinstance(value, np.ndarray) else value


def made(library: Any, row: Any) -> Any:
    name, arguments, named, _ = row
    arguments = [of(library, value) for value in arguments]
    return getattr(library.nn, name)(*arguments, **{k: of(library, v) for k, v in named.items()})


def inputs_of(library: Any, row: Any) -> list[Any]:
    rng = np.random.default_rng(3)
    values = []
    for value in row[3]:
        drawn = isinstance(value, tuple)
        array = library.tensor(rng.standard_normal(value) if drawn else value)
        values.append(array.requires_grad_() if drawn else array)
    return values


def run(library: Any, grad: Any, layer: Any, row: Any) -> tuple[Any, list[Any]]:
    inputs = inputs_of(library, row)
    value = layer(*inputs)
    wanted = [x for x in inputs if x.requires_grad] + list(layer.parameters())
    if not value.requires_grad:
        return value, []
    return value, list(grad((value * value + value).sum(), wanted, allow_unused=True))


def compare(mine: Any, other: Any) -> None:
    np.testing.assert_allclose(
        mine.data, other.detach().numpy(), rtol=1e-9, atol=1e-10, strict=True
    )


@pytest.mark.parametrize("row", LAYERS, ids=lambda row: f"{row[0]} {len(str(row))}")
def test_layers(row: Any) -> None:
    own, theirs = made(dg, row), made(torch, row).double()
    assert repr(own) == repr(theirs).replace(", dtype=torch.float64", "")
    own = own.to(np.float64)
    state = theirs.state_dict()
    assert {k: v.shape for k, v in own.state_dict().items()} == {
        k: tuple(v.shape) for k, v in state.items()
    }
    assert [k for k, _ in own.named_parameters()] == [k for k, _ in theirs.named_parameters()]
    own.load_state_dict({k: v.numpy().copy() for k, v in state.items()})
    for training in (True, True, False):
        own.train(training)
        theirs.train(training)
        mine, my_gradients = run(dg, dg.autograd.grad, own, row)
        other, their_gradients = run(torch, torch.autograd.grad, theirs, row)
        compare(mine, other)
        for a, b in zip(my_gradients, their_gradients, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                compare(a, b)
        for key, value in own.state_dict().items():
            compare(value, theirs.state_dict()[key])


def in_half(library: Any, row: Any, state: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The value and the gradients of a layer that computes in bfloat16, as float32."""
    layer = made(library, row)
    if state:
        layer.load_state_dict(state)
    layer = layer.bfloat16().eval()
    inputs = []
    for x in inputs_of(library, row):
        half = x.detach().bfloat16() if x.is_floating_point() else x
        inputs.append(half.requires_grad_(x.requires_grad))
    value = layer(*inputs)
    wanted = [x for x in inputs if x.requires_grad] + list(layer.parameters())
    found = [value]
    if value.requires_grad:
        weights = np.cos(np.arange(value.numel())).reshape(tuple(value.shape))
        total = (value.float() * library.tensor(weights)).sum()
        found += library.autograd.grad(total, wanted, allow_unused=True)
    return layer.state_dict(), found


@NEEDS_BFLOAT16
@pytest.mark.parametrize("row", LAYERS, ids=lambda row: f"{row[0]} {len(str(row))}")
def test_layers_in_bfloat16(row: Any) -> None:
    """As near as 8 binary digits, and what is cancelled of them, let them be."""
    state, own = in_half(dg, row, {})
    try:
        _, theirs = in_half(torch, row, {k: torch.tensor(v.tolist()) for k, v in state.items()})
    except (RuntimeError, NotImplementedError) as error:
        pytest.skip(f"PyTorch: {error}")
    for mine, other in zip(own, theirs, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None:
            assert mine.dtype.name == str(other.dtype).removeprefix("torch.")
            a, b = mine.detach().float().numpy(), other.detach().float().numpy()
            np.testing.assert_allclose(a, b, rtol=0.02, atol=0.04 * np.abs(b).max(initial=0))


def test_every_activation_and_loss_of_pytorch_is_there() -> None:
    """But those that are no layers of the usual kind, or belong to other tasks."""
    missing = {"CTCLoss", "AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss", "NLLLoss2d"}
    for module in ("activation", "loss", "dropout", "distance"):
        public = getattr(torch.nn.modules, module).__all__
        assert {n for n in public if not hasattr(nn, n)} <= missing


SPREADS = [
    ("Linear", (50, 400), {}),
    ("Bilinear", (40, 3, 200), {}),
    ("Embedding", (100, 200), {}),
    ("PReLU", (5,), {}),
    ("GroupNorm", (2, 6), {}),
    ("RMSNorm", (6,), {}),
]


@pytest.mark.parametrize(("name", "arguments", "named"), SPREADS)
def test_initial_values_have_the_same_distribution(name: str, arguments: Any, named: Any) -> None:
    dg.manual_seed(0)
    torch.manual_seed(0)
    own, theirs = getattr(nn, name)(*arguments, **named), getattr(torch.nn, name)(*arguments)
    for (key, mine), (other_key, other) in zip(
        own.named_parameters(), theirs.named_parameters(), strict=True
    ):
        assert (key, mine.dtype.name) == (other_key, str(other.dtype).removeprefix("torch."))
        a, b = (np.sort(x.reshape(-1)) for x in (mine.data, other.detach().numpy()))
        spread = max(b[-1] - b[0], 1e-6)
        places = np.linspace(0, a.size - 1, 9).astype(int)[1:-1]
        np.testing.assert_allclose(a[places], b[places], atol=0.1 * spread)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ReLU", ()),
        ("ReLU6", ()),
        ("LeakyReLU", ()),
        ("RReLU", (0.2, 0.2)),
        ("ELU", ()),
        ("CELU", ()),
        ("SELU", ()),
        ("SiLU", ()),
        ("Mish", ()),
        ("Hardtanh", ()),
        ("Hardsigmoid", ()),
        ("Hardswish", ()),
        ("Threshold", (0.1, -2.0)),
        ("Dropout", (0.0,)),
        ("Dropout2d", (1.0,)),
        ("AlphaDropout", (0.0,)),
    ],
)
def test_layers_that_change_their_input(name: str, arguments: Any) -> None:
    results = []
    for library, grad in ((dg, dg.autograd.grad), (torch, torch.autograd.grad)):
        layer = getattr(library.nn, name)(*arguments, inplace=True)
        rng = np.random.default_rng(0)
        start = library.tensor(rng.standard_normal((1, 3, 2, 2)), requires_grad=True)
        x = start * 2
        y = layer(x)
        assert y is x
        results.append([repr(layer), y.detach(), *grad((x * x).sum(), [start])])
    assert results[0][0] == results[1][0]
    for mine, other in zip(results[0][1:], results[1][1:], strict=True):
        # PyTorch's slopes of hardsigmoid are those of float32.
        np.testing.assert_allclose(mine.data, other.numpy(), rtol=1e-6, atol=1e-12)
