import numpy as np
import pytest

import distgrad as dg
from distgrad import nn
from distgrad.nn import functional as F


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_mse_is_the_function(reduction):
    x, y = np.random.default_rng(0).standard_normal((2, 4, 3))
    squares = (x - y) ** 2
    expected = {"mean": squares.mean(), "sum": squares.sum(), "none": squares}[reduction]
    loss = nn.MSELoss(reduction=reduction)(dg.Tensor(x), dg.Tensor(y))
    np.testing.assert_allclose(loss.data, expected)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_is_the_function(reduction):
    scores = np.random.default_rng(0).standard_normal((4, 3))
    target = np.array([0, 2, 1, 2])
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    terms = -np.log(p[np.arange(4), target]) * (target != 2)
    expected = {"mean": terms.sum() / 2, "sum": terms.sum(), "none": terms}[reduction]
    module = nn.CrossEntropyLoss(reduction=reduction, ignore_index=2)
    loss = module(dg.Tensor(scores), dg.Tensor(target))
    np.testing.assert_allclose(loss.data, expected)
    function = F.cross_entropy(
        dg.Tensor(scores), dg.Tensor(target), reduction=reduction, ignore_index=2
    )
    assert loss.tolist() == function.tolist()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_nll_is_the_function(reduction):
    log_p = dg.tensor([[-0.5, -1.0], [-2.0, -0.25], [-3.0, -4.0]])
    target = dg.tensor([1, 0, 9])
    found = nn.NLLLoss(reduction=reduction, ignore_index=9)(log_p, target)
    expected = {"mean": 1.5, "sum": 3.0, "none": [1.0, 2.0, 0.0]}[reduction]
    assert found.tolist() == expected


def test_defaults():
    assert (nn.NLLLoss().reduction, nn.NLLLoss().ignore_index) == ("mean", -100)
    assert nn.MSELoss().reduction == "mean"
    assert nn.CrossEntropyLoss().reduction == "mean"
    assert nn.CrossEntropyLoss().ignore_index == -100
    assert repr(nn.CrossEntropyLoss()) == "CrossEntropyLoss()"


@pytest.mark.parametrize(
    "loss",
    [
        nn.MSELoss(reduction="max"),
        nn.CrossEntropyLoss(reduction="max"),
        nn.NLLLoss(reduction="max"),
    ],
)
def test_an_unknown_reduction_is_refused(loss):
    with pytest.raises(ValueError, match=r"reduction must be one of .* got 'max'"):
        loss(dg.zeros(2, 2), dg.zeros(2, 2))


A, B = np.random.default_rng(1).standard_normal((2, 3, 4))
SIGNS, CLASSES, W = np.array([1.0, -1.0, 1.0]), np.array([0, 3, 1]), np.array([0.5, 2.0, 1.0, 0.25])
a, b, signs, classes, w = map(dg.Tensor, (A, B, SIGNS, CLASSES, W))
half = a.sigmoid()

# a loss with the result of its function for the same arguments
LOSSES = [
    (nn.L1Loss(), (a, b), F.l1_loss(a, b)),
    (nn.SmoothL1Loss(beta=0.5), (a, b), F.smooth_l1_loss(a, b, beta=0.5)),
    (nn.HuberLoss("sum", 0.5), (a, b), F.huber_loss(a, b, "sum", 0.5)),
    (
        nn.PoissonNLLLoss(False, eps=0.1),
        (half, half),
        F.poisson_nll_loss(half, half, False, eps=0.1),
    ),
    (nn.GaussianNLLLoss(full=True), (a, b, half), F.gaussian_nll_loss(a, b, half, full=True)),
    (nn.KLDivLoss(log_target=True), (a, b), F.kl_div(a, b, log_target=True)),
    (nn.BCELoss(w), (half, half), F.binary_cross_entropy(half, half, w)),
    (
        nn.BCEWithLogitsLoss(w, pos_weight=w),
        (a, half),
        F.binary_cross_entropy_with_logits(a, half, w, pos_weight=w),
    ),
    (
        nn.CrossEntropyLoss(w, label_smoothing=0.2),
        (a, classes),
        F.cross_entropy(a, classes, w, label_smoothing=0.2),
    ),
    (nn.NLLLoss(w), (a, classes), F.nll_loss(a, classes, w)),
    (nn.HingeEmbeddingLoss(0.5), (a[:, 0], signs), F.hinge_embedding_loss(a[:, 0], signs, 0.5)),
    (
        nn.MarginRankingLoss(0.5),
        (a[:, 0], b[:, 0], signs),
        F.margin_ranking_loss(a[:, 0], b[:, 0], signs, 0.5),
    ),
    (nn.CosineEmbeddingLoss(0.1), (a, b, signs), F.cosine_embedding_loss(a, b, signs, 0.1)),
    (nn.SoftMarginLoss(), (a[:, 0], signs), F.soft_margin_loss(a[:, 0], signs)),
    (
        nn.TripletMarginLoss(2.0, 1.0, 1e-3, True),
        (a, b, half),
        F.triplet_margin_loss(a, b, half, 2.0, 1.0, 1e-3, True),
    ),
    (
        nn.TripletMarginWithDistanceLoss(margin=2.0, swap=True),
        (a, b, half),
        F.triplet_margin_loss(a, b, half, 2.0, swap=True),
    ),
    (nn.MultiMarginLoss(2, 0.5, w), (a, classes), F.multi_margin_loss(a, classes, 2, 0.5, w)),
    (nn.MultiLabelMarginLoss(), (a[0], classes), None),
    (nn.MultiLabelSoftMarginLoss(w), (a, half), F.multilabel_soft_margin_loss(a, half, w)),
]


@pytest.mark.parametrize(("loss", "inputs", "expected"), LOSSES, ids=lambda row: str(row)[:30])
def test_losses_are_their_functions(loss, inputs, expected):
    if expected is None:
        inputs = (inputs[0], dg.tensor([0, 3, 1, -1]))
        expected = F.multilabel_margin_loss(*inputs)
    assert loss(*inputs).item() == expected.item()
    buffers = {name: value for name, value in vars(loss)["_buffers"].items() if value is not None}
    assert list(loss.state_dict()) == list(buffers)
    if not list(loss.children()):
        assert repr(loss) == f"{type(loss).__name__}()"


def test_where_all_targets_are_ignored_the_mean_is_nan_and_depends_on_nothing():
    for smoothing in (0.0, 0.1):
        x = dg.Tensor(A, requires_grad=True)
        loss = F.cross_entropy(x, classes * 0 + 7, ignore_index=7, label_smoothing=smoothing)
        loss.backward()
        assert np.isnan(loss.item())
        assert not x.grad.data.any()


@pytest.mark.parametrize(
    ("error", "message", "make"),
    [
        (TypeError, "delta must be a number, got complex", lambda: nn.HuberLoss(delta=1j)),
        (ValueError, "p must be 1 or 2, got 3", lambda: nn.MultiMarginLoss(3)),
        (ValueError, "margin must be positive, got 0", lambda: nn.TripletMarginLoss(0)),
        (
            ValueError,
            "WithDistanceLoss: margin must be positive, got -1",
            lambda: nn.TripletMarginWithDistanceLoss(margin=-1),
        ),
    ],
)
def test_arguments_that_are_refused(error, message, make):
    with pytest.raises(error, match=message):
        make()
