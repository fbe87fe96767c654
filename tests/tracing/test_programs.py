"""A replayed micro-batch has the bits of an eager one."""

from typing import Any

import numpy as np
import pytest
from helpers.recorded_passes import check, eager, recorded, replayed
from hypothesis import given, settings
from hypothesis import strategies as st

import distgrad as dg
from distgrad import nn
from distgrad.nn import functional as F

pytestmark = pytest.mark.usefixtures("kernels")

N = 6


def floats(*shape: int) -> Any:
    return lambda rng: rng.normal(size=shape).astype(np.float32)


def whole(high: int, *shape: int) -> Any:
    return lambda rng: rng.integers(0, high, shape)


def batch(*makers: Any) -> Any:
    return lambda rng: [make(rng) for make in makers]


def leaves_of(module: nn.Module) -> list[Any]:
    return list(module.parameters())


LAYERS = {
    "linear": lambda: nn.Linear(8, 8),
    "plain": lambda: nn.Linear(8, 8, bias=False),
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh_gelu": lambda: nn.GELU("tanh"),
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
    "softmax": lambda: nn.Softmax(-1),
    "layer_norm": lambda: nn.LayerNorm(8),
    "rms_norm": lambda: nn.RMSNorm(8),
    "dropout": lambda: nn.Dropout(0.4),
    "frozen": lambda: nn.Linear(8, 8).requires_grad_(False),
}


def seeded(names: list[str]) -> nn.Module:
    dg.manual_seed(1)
    return nn.Sequential(*(LAYERS[name]() for name in names))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("rows", [1, N, 70])
def test_layers(name: str, rows: int) -> None:
    module = seeded(["linear", name, "linear"])
    check(
        lambda x, y: F.mse_loss(module(x), y, reduction="sum"),
        batch(floats(rows, 8), floats(rows, 8)),
        leaves_of(module),
    )


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    names=st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=6),
    reduction=st.sampled_from(["sum", "mean"]),
    loss=st.sampled_from(["mse", "classes"]),
    residual=st.booleans(),
    tied=st.booleans(),
)
def test_random_models(
    names: list[str], reduction: str, loss: str, residual: bool, tied: bool
) -> None:
    module = seeded(["linear", *names])

    def run(x: Any, y: Any) -> Any:
        out = module(x)
        out = out + x if residual else out
        out = F.linear(out, module[0].weight) if tied else out
        if loss == "mse":
            return F.mse_loss(out, x, reduction=reduction)
        return F.cross_entropy(out, y, reduction=reduction)

    check(run, batch(floats(N, 8), whole(8, N)), leaves_of(module), runs=2)


def parameters(*shapes: tuple[int, ...]) -> list[dg.Tensor]:
    rng = np.random.default_rng(2)
    return [dg.Tensor(rng.normal(size=s).astype(np.float32), True) for s in shapes]


def test_broadcasting_views_and_shared_parts() -> None:
    w, b, unused = parameters((8, 4), (4,), (3,))

    def loss(x: Any, y: Any) -> Any:
        z = x @ w + b
        shared = (z * b).exp()
        parts = shared.reshape(2, -1).transpose(0, 1)[1:, 0]
        return (shared * y).sum() + parts.mean() * 2 + (b / 3).sum() + (z - 1).square().sum()

    check(loss, batch(floats(N, 8), floats(N, 1)), [w, b, unused])


def test_gradients_that_come_several_times_and_unchanged() -> None:
    w, b = parameters((8,), (8,))

    def loss(x: Any) -> Any:
        return (w + b).sum() + (w + x).sum() + (w * x).sum() + w[2] + (-b).sum()

    check(loss, batch(floats(N, 8)), [w, b])


def test_indices_of_the_batch() -> None:
    table, other = parameters((10, 4), (10, 4))

    def loss(i: Any, j: Any) -> Any:
        rows = F.embedding(i, table) * other[i]
        return rows[dg.arange(N), j[:, 0]].sum() + other[2:7:2].sum()

    check(loss, batch(whole(10, N), whole(4, N, 2)), [table, other])


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_targets_that_do_not_count(reduction: str) -> None:
    (w,) = parameters((8, 5))
    ignored = lambda rng: np.where(rng.random(N) < 0.5, -100, rng.integers(0, 5, N))  # noqa: E731
    check(
        lambda x, y: F.cross_entropy(x @ w, y, reduction=reduction),
        batch(floats(N, 8), ignored),
        [w],
    )


def test_smooth_labels() -> None:
    (w,) = parameters((8, 5))
    check(
        lambda x, y: F.cross_entropy(x @ w, y, reduction="sum", label_smoothing=0.1),
        batch(floats(N, 8), whole(5, N)),
        [w],
    )


def test_a_convolution() -> None:
    dg.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 5),
    )  # fmt: skip
    check(
        lambda x, y: F.cross_entropy(module(x), y, reduction="sum"),
        batch(floats(N, 2, 8, 8), whole(5, N)),
        leaves_of(module),
    )


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_transformer(dropout: float) -> None:
    from distgrad.training.models import GPT

    dg.manual_seed(0)
    module = GPT(layers=2, width=16, heads=2, context=8, vocabulary=11, dropout=dropout)

    def loss(x: Any, y: Any) -> Any:
        scores = module(x)
        return F.cross_entropy(scores.reshape(-1, 11), y.reshape(-1), reduction="sum")

    check(loss, batch(whole(11, 3, 8), whole(11, 3, 8)), leaves_of(module))


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_recurrent_layers(kind: Any) -> None:
    dg.manual_seed(0)
    module = kind(4, 5)
    check(
        lambda x: module(x)[0].square().sum(),
        batch(floats(7, 3, 4)),
        leaves_of(module),
    )


def test_large_arrays_that_come_and_go() -> None:
    dg.manual_seed(0)
    module = nn.Sequential(nn.Linear(200, 300), nn.Tanh(), nn.Linear(300, 200), nn.ReLU())

    def loss(x: Any) -> Any:
        y = module(x)
        z = (y * 2 - 1) / 3 + y.exp().neg()
        return ((z - x) * (z - x)).sum()

    check(loss, batch(floats(64, 200)), leaves_of(module))


def test_a_gradient_that_was_handed_over_stays_as_it_is() -> None:
    u, v = parameters((120, 120), (120, 120))  # whose gradients are larger than what has a place
    check(lambda x: (x @ (u + v.tanh())).square().sum(), batch(floats(9, 120)), [u, v])


def test_numbers_that_are_equal_and_of_other_bits_are_told_apart() -> None:
    (w,) = parameters((5,))

    def loss(x: Any) -> Any:
        y = (x * w).abs()
        return ((1 / (y * 0.0)).clamp(-1, 1) * w + (1 / (y * -0.0)).clamp(-1, 1) * w * 2).sum()

    check(loss, batch(floats(5)), [w])


def test_infinite_and_undefined_values() -> None:
    module = seeded(["linear", "relu", "linear", "gelu", "layer_norm", "softmax"])

    def odd(rng: Any) -> Any:
        x = rng.normal(size=(N, 8)).astype(np.float32)
        x.flat[rng.integers(0, x.size, 6)] = [np.nan, np.inf, -np.inf, -0.0, 1e-42, 3e38]
        return x

    check(lambda x: module(x).sum() + module[:2](x).sum(), batch(odd), leaves_of(module))


def test_buffers_are_read_anew() -> None:
    (w,) = parameters((8,))
    scale = dg.ones(8)

    def loss(x: Any) -> Any:
        return (x * w * scale).sum()

    arrays = [np.ones((N, 8), np.float32)]
    program = recorded(loss, arrays, [w], [scale])
    scale.data *= 3
    assert replayed(program, arrays, [w], (0, 1, 0)) == eager(loss, arrays, [w], (0, 1, 0))


def test_a_replay_keeps_nothing_of_the_batch_before() -> None:
    (w,) = parameters((4,))

    def loss(x: Any) -> Any:
        y = x * w
        return (y * y + y.relu() + (y - 1).abs() + y.maximum(x)).sum() / (y * y + 1).sum()

    check(loss, batch(floats(N, 4)), [w], runs=6)


def test_numbers_beside_floats_keep_their_meaning() -> None:
    (w,) = parameters((5,))

    def loss(x: Any, i: Any) -> Any:
        y = (w * 1 + 1.0 - 0.1) * (2 / (x.abs() + 1)) * 1e-40 * 3e38
        return (y + i * 1).sum() + ((i + 1) * (i + 1.0) * w).sum() + (w * (i > 2)).sum()

    check(loss, batch(floats(5), whole(5, 5)), [w])


def test_what_a_gradient_does_not_need_is_not_computed() -> None:
    (w,) = parameters((5,))
    ran: list[str] = []

    def loss(x: Any) -> Any:
        (x * 3).exp()  # of no use
        return (w * x).sum()

    program = check(loss, batch(floats(5)), [w])
    ran += [getattr(step.what, "__name__", "") for step in program._trace.steps]
    assert "exp" in ran
    from distgrad.tracing.simplify import simplified

    left, _ = simplified(program._trace.steps, [program._loss])
    assert not any(step.what is np.exp for step in left)
