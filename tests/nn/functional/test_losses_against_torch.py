"""Losses: against PyTorch."""

from typing import Any

import numpy as np
import pytest
from helpers.parity import Call, check_gradients, check_refused, check_same, check_slopes

import distgrad as dg
from distgrad.nn import functional as F

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:.*batchmean", "ignore:.*different to the input")

REDUCTIONS = ("none", "mean", "sum")
UP = np.array([1.0, -1.0, 1.0, -1.0])

# name: (shapes of the inputs, call of either library)
CALLS: dict[str, tuple[list[tuple[int, ...]], Call]] = {
    "mse": ([(3, 4), (3, 4)], lambda m, f, x, y, **r: f.mse_loss(x, y, **r)),
    "mse weight": (
        [(3, 4), (3, 4), (3, 4)],
        lambda m, f, x, y, w, **r: f.mse_loss(x, y, weight=w, **r),
    ),
    "l1": ([(3, 4), (3, 4)], lambda m, f, x, y, **r: f.l1_loss(x, y, **r)),
    "l1 weight": (
        [(3, 4), (3, 4), (3, 4)],
        lambda m, f, x, y, w, **r: f.l1_loss(x, y, weight=w, **r),
    ),
    "smooth_l1": ([(3, 4), (3, 4)], lambda m, f, x, y, **r: f.smooth_l1_loss(x, y, **r)),
    "smooth_l1 beta": (
        [(3, 4), (3, 4)],
        lambda m, f, x, y, **r: f.smooth_l1_loss(x, y, beta=0.3, **r),
    ),
    "smooth_l1 as l1": ([(3,), (3,)], lambda m, f, x, y, **r: f.smooth_l1_loss(x, y, beta=0, **r)),
    "huber": ([(3, 4), (3, 4)], lambda m, f, x, y, **r: f.huber_loss(x, y, **r)),
    "huber weight": (
        [(3, 4), (3, 4), (3, 4)],
        lambda m, f, x, y, w, **r: f.huber_loss(x, y, delta=0.4, weight=w, **r),
    ),
    "poisson_nll": ([(3, 4), (3, 4)], lambda m, f, x, y, **r: f.poisson_nll_loss(x, y, **r)),
    "poisson_nll of counts": (
        [(3, 4), (3, 4)],
        lambda m, f, x, y, **r: f.poisson_nll_loss(x.exp(), y.exp(), False, True, **r),
    ),
    "gaussian_nll": (
        [(3, 4), (3, 4), (3, 4)],
        lambda m, f, x, y, v, **r: f.gaussian_nll_loss(x, y, v.exp(), **r),
    ),
    "gaussian_nll of one variance": (
        [(3, 4), (3, 4), (3,)],
        lambda m, f, x, y, v, **r: f.gaussian_nll_loss(x, y, v.exp(), full=True, eps=1.0, **r),
    ),
    "kl_div": (
        [(3, 4), (3, 4)],
        lambda m, f, x, y, **r: f.kl_div(x, f.softmax(y, 1), **r),
    ),
    "kl_div of logarithms": (
        [(3, 4), (3, 4)],
        lambda m, f, x, y, **r: f.kl_div(x, y, log_target=True, **r),
    ),
    "binary_cross_entropy": (
        [(3, 4), (3, 4), (4,)],
        lambda m, f, x, y, w, **r: f.binary_cross_entropy(
            m.sigmoid(x), m.sigmoid(y), w.detach(), **r
        ),
    ),
    "binary_cross_entropy_with_logits": (
        [(3, 4), (3, 4)],
        lambda m, f, x, y, **r: f.binary_cross_entropy_with_logits(x, y, **r),
    ),
    "binary_cross_entropy_with_logits, weights": (
        [(3, 4), (3, 4), (4,), (4,)],
        lambda m, f, x, y, w, p, **r: f.binary_cross_entropy_with_logits(
            x, y, w.detach(), pos_weight=p.detach(), **r
        ),
    ),
    "hinge_embedding": (
        [(3, 4)],
        lambda m, f, x, **r: f.hinge_embedding_loss(x, m.tensor(UP), 0.3, **r),
    ),
    "margin_ranking": (
        [(4,), (4,)],
        lambda m, f, x, y, **r: f.margin_ranking_loss(x, y, m.tensor(UP), 0.5, **r),
    ),
    "cosine_embedding": (
        [(4, 3), (4, 3)],
        lambda m, f, x, y, **r: f.cosine_embedding_loss(x, y, m.tensor(UP), 0.1, **r),
    ),
    "triplet_margin": (
        [(4, 3), (4, 3), (4, 3)],
        lambda m, f, x, y, z, **r: f.triplet_margin_loss(x, y, z, **r),
    ),
    "triplet_margin swap": (
        [(4, 3), (4, 3), (4, 3)],
        lambda m, f, x, y, z, **r: f.triplet_margin_loss(x, y, z, 2.0, 3.0, 1e-3, True, **r),
    ),
    "soft_margin": ([(3, 4)], lambda m, f, x, **r: f.soft_margin_loss(x, m.tensor(UP), **r)),
    "cross_entropy of probabilities": (
        [(3, 4), (3, 4)],
        lambda m, f, x, y, **r: f.cross_entropy(x, y, **r),
    ),
    "cross_entropy of probabilities, smoothed": (
        [(3, 4, 2), (3, 4, 2)],
        lambda m, f, x, y, **r: f.cross_entropy(x, y, m.tensor(UP) + 1.5, label_smoothing=0.2, **r),
    ),
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", CALLS)
def test_gradients(name: str, reduction: str) -> None:
    shapes, call = CALLS[name]
    generator = np.random.default_rng(len(name))
    arrays = [generator.standard_normal(shape) for shape in shapes]
    check_gradients(arrays, lambda m, f, *xs: call(m, f, *xs, reduction=reduction))


CLASSES = np.array([[0, 3], [1, -100], [2, 2]])
WEIGHT = np.array([0.5, 2.0, 1.0, 0.25])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("target", [CLASSES, CLASSES[:, 0], np.array(2)], ids=["many", "N", "one"])
def test_cross_entropy(target: Any, weighted: bool, smoothing: float, reduction: str) -> None:
    shape = (3, 4, 2) if target.ndim == 2 else (3, 4) if target.ndim else (4,)

    def call(m: Any, f: Any, x: Any) -> Any:
        weight = m.tensor(WEIGHT) if weighted else None
        given = {"reduction": reduction, "label_smoothing": smoothing}
        return f.cross_entropy(x, m.tensor(target), weight, **given)

    check_gradients([np.random.default_rng(1).standard_normal(shape)], call)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignore_index", [-100, 2])
def test_nll(reduction: str, ignore_index: int) -> None:
    target = np.where(CLASSES < 0, ignore_index, CLASSES)

    def call(m: Any, f: Any, x: Any) -> Any:
        given = {"reduction": reduction, "ignore_index": ignore_index}
        return f.nll_loss(x, m.tensor(target), m.tensor(WEIGHT), **given)

    check_gradients([np.random.default_rng(1).standard_normal((3, 4, 2))], call)


def test_kl_div_by_batch() -> None:
    x, y = np.random.default_rng(2).standard_normal((2, 3, 4))
    check_gradients([x, y], lambda m, f, x, y: f.kl_div(x, y.exp(), reduction="batchmean"))


KINKED = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])


@pytest.mark.parametrize(
    "call",
    [
        lambda m, f, x: f.l1_loss(x, x.detach() * 0),
        lambda m, f, x: f.smooth_l1_loss(x, x.detach() * 0),
        lambda m, f, x: f.huber_loss(x, x.detach() * 0, delta=0.5),
        lambda m, f, x: f.hinge_embedding_loss(x, x.detach() * 0 - 1),
        lambda m, f, x: f.margin_ranking_loss(x, x.detach() * 0, x.detach() * 0 + 1, 1.0),
        lambda m, f, x: f.binary_cross_entropy(x.clamp(0, 1), (x.detach() > 0).double()),
        lambda m, f, x: f.binary_cross_entropy_with_logits(1e3 * x, (x.detach() > 0).double()),
        lambda m, f, x: f.soft_margin_loss(x * 400, x.detach() * 0 - 1),
        lambda m, f, x: f.poisson_nll_loss(x.abs(), x.detach().abs(), False, True),
        lambda m, f, x: f.kl_div(x, x.abs()),
    ],
)
def test_at_kinks_and_far_away(call: Call) -> None:
    check_slopes([KINKED], call, atol=1e-30)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_different_shapes_broadcast_with_a_warning(name: str, reduction: str) -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 3, 1))
    values = []
    for m, f in ((dg, F), (torch, torch.nn.functional)):
        with pytest.warns(UserWarning, match="shape|size"):
            values.append(getattr(f, name)(m.tensor(x), m.tensor(y[:, 0]), reduction=reduction))
    check_same(*values, rtol=1e-12)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "soft_margin_loss"])
def test_of_nothing(name: str) -> None:
    for reduction in REDUCTIONS:
        values = [
            getattr(f, name)(m.zeros((0,)), m.zeros((0,)), reduction=reduction)
            for m, f in ((dg, F), (torch, torch.nn.functional))
        ]
        check_same(*values)


ONES, HALF = np.ones((2, 3)), np.full((2, 3), 0.5)


@pytest.mark.parametrize(
    ("call", "inputs"),
    [
        (lambda m, f, x, t: f.cross_entropy(x, t), (ONES, np.array([0, 3]))),
        (lambda m, f, x, t: f.cross_entropy(x, t), (ONES, np.array([0.5, 0.5]))),
        (lambda m, f, x, t: f.cross_entropy(x, t, m.ones(2)), (ONES, np.array([0, 1]))),
        (lambda m, f, x, t: f.cross_entropy(x, t, ignore_index=1), (ONES, HALF)),
        (lambda m, f, x, t: f.cross_entropy(x, t, label_smoothing=1.5), (ONES, np.array([0, 1]))),
        (lambda m, f, x, t: f.nll_loss(x, t), (ONES, np.array([0]))),
        (lambda m, f, x, t: f.nll_loss(x, t), (ONES, np.array([0.0, 1.0]))),
        (lambda m, f, x: f.mse_loss(x, x, reduction="max"), (ONES,)),
        (lambda m, f, x, w: f.mse_loss(x, x, weight=w), (ONES, np.ones(3))),
        (lambda m, f, x: f.smooth_l1_loss(x, x, beta=-1.0), (ONES,)),
        (lambda m, f, x: f.huber_loss(x, x, delta=0.0), (ONES,)),
        (lambda m, f, x: f.gaussian_nll_loss(x, x, -x), (ONES,)),
        (lambda m, f, x, v: f.gaussian_nll_loss(x, x, v), (ONES, np.ones(3))),
        (lambda m, f, x: f.binary_cross_entropy(2 * x, x), (ONES,)),
        (lambda m, f, x, t: f.binary_cross_entropy(x, t), (HALF, HALF[0])),
        (lambda m, f, x, t: f.binary_cross_entropy_with_logits(x, t), (HALF, HALF[0])),
        (lambda m, f, x, t: f.margin_ranking_loss(x, x, t), (ONES, np.ones(3))),
        (lambda m, f, x, t: f.cosine_embedding_loss(x, x, t), (ONES, np.ones((2, 3)))),
        (lambda m, f, x, y: f.triplet_margin_loss(x, x, y), (ONES, np.ones(3))),
        (lambda m, f, x: f.triplet_margin_loss(x, x, x, margin=-1.0), (ONES,)),
    ],
)
def test_refused_by_both(call: Call, inputs: Any) -> None:
    check_refused(call, *inputs)
