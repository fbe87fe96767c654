"""Losses that ask for a margin between classes, term by term."""

from typing import Any

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F

SCORES = np.random.default_rng(0).standard_normal((3, 4))
CLASSES = np.array([0, 3, 1])
WEIGHT = np.array([0.5, 2.0, 1.0, 0.25])
LABELS = np.array([[0, 3, -1, 1], [-1, 1, 2, 0], [2, 2, 1, 0]])


def reduce(terms: Any, reduction: str) -> Any:
    return {"none": terms, "mean": np.mean(terms), "sum": np.sum(terms)}[reduction]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("p", [1, 2])
def test_one_right_class(p: int, weight: Any, reduction: str) -> None:
    terms = []
    for x, right in zip(SCORES, CLASSES, strict=True):
        lacking = [max(0, 0.5 - x[right] + x[i]) ** p for i in range(4) if i != right]
        terms.append(sum(lacking) / 4 * (1 if weight is None else weight[right]))
    weight = None if weight is None else dg.Tensor(weight)
    how = {"p": p, "margin": 0.5, "weight": weight, "reduction": reduction}
    y = F.multi_margin_loss(dg.Tensor(SCORES), dg.Tensor(CLASSES), **how)
    np.testing.assert_allclose(y.data, reduce(terms, reduction), rtol=1e-13)
    one = F.multi_margin_loss(dg.Tensor(SCORES[1]), dg.tensor(3), **how)
    assert one.shape == ()
    np.testing.assert_allclose(one.data, terms[1], rtol=1e-13)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_several_right_classes(reduction: str) -> None:
    terms = []
    for x, listed in zip(SCORES, LABELS, strict=True):
        right = listed[: np.argmax(listed < 0)] if (listed < 0).any() else listed
        wrong = [i for i in range(4) if i not in right]
        terms.append(sum(max(0, 1 - x[j] + x[i]) for j in right for i in wrong) / 4)
    y = F.multilabel_margin_loss(dg.Tensor(SCORES), dg.Tensor(LABELS), reduction=reduction)
    np.testing.assert_allclose(y.data, reduce(terms, reduction), rtol=1e-13)
    one = F.multilabel_margin_loss(dg.Tensor(SCORES[0]), dg.Tensor(LABELS[0]))
    np.testing.assert_allclose(one.data, terms[0], rtol=1e-13)


def test_of_independent_classes() -> None:
    target = (SCORES > 0.3).astype(float)
    y = F.multilabel_soft_margin_loss(
        dg.Tensor(SCORES), dg.Tensor(target), dg.Tensor(WEIGHT), reduction="none"
    )
    p = 1 / (1 + np.exp(-SCORES))
    terms = -(target * np.log(p) + (1 - target) * np.log(1 - p)) * WEIGHT
    np.testing.assert_allclose(y.data, terms.mean(1), rtol=1e-12)


CALLS: dict[str, Any] = {
    "multi": lambda x: F.multi_margin_loss(x, dg.Tensor(CLASSES), weight=dg.Tensor(WEIGHT)),
    "multi 2": lambda x: F.multi_margin_loss(x, dg.Tensor(CLASSES), 2, 0.5),
    "labels": lambda x: F.multilabel_margin_loss(x, dg.Tensor(LABELS)),
    "soft": lambda x: F.multilabel_soft_margin_loss(x, dg.Tensor(LABELS > 0)),
    "distance": lambda x: F.triplet_margin_with_distance_loss(x, x * 2, x.flip(0)),
}


@pytest.mark.parametrize("name", CALLS)
def test_gradients(name: str) -> None:
    x = dg.Tensor(SCORES, requires_grad=True)
    assert dg.autograd.gradcheck(CALLS[name], x)
    assert dg.autograd.gradgradcheck(CALLS[name], x)
    assert CALLS[name](dg.Tensor(SCORES[:, :].copy())).dtype == np.float64


@pytest.mark.parametrize("name", ["multi 2", "labels", "distance"])
def test_float32_stays_float32(name: str) -> None:
    assert CALLS[name](dg.Tensor(SCORES.astype(np.float32))).dtype == np.float32


X, T, L = dg.Tensor(SCORES), dg.Tensor(CLASSES), dg.Tensor(LABELS)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "p must be 1 or 2, got 3", lambda: F.multi_margin_loss(X, T, 3)),
        (ValueError, "need 3 targets", lambda: F.multi_margin_loss(X, T[:2])),
        (ValueError, r"\(4,\), one for each", lambda: F.multi_margin_loss(X, T, weight=X[0, :2])),
        (ValueError, "with one class at least", lambda: F.multi_margin_loss(X[:, :0], T)),
        (ValueError, "with one class at least", lambda: F.multi_margin_loss(X[None], T)),
        (TypeError, "int64, not float64", lambda: F.multi_margin_loss(X, T.double())),
        (TypeError, "floating-point", lambda: F.multi_margin_loss(L, T)),
        (IndexError, "from 0 to 3, got 1 to 4", lambda: F.multi_margin_loss(X, T + 1)),
        (ValueError, "one shape", lambda: F.multilabel_margin_loss(X, T)),
        (IndexError, "from -1 to 3, got -2 to 2", lambda: F.multilabel_margin_loss(X, L - 1)),
        (ValueError, "reduction must be", lambda: F.multilabel_margin_loss(X, L, reduction="max")),
        (TypeError, "floating-point", lambda: F.multilabel_soft_margin_loss(L, X)),
    ],
)
def test_errors(error: Any, message: str, call: Any) -> None:
    with pytest.raises(error, match=message):
        call()
