"""What activations and losses refuse: the rule, the numbers, the way out."""

from collections.abc import Callable
from typing import Any

import pytest

import distgrad as dg
from distgrad.nn import functional as F

X, WHOLE = dg.tensor([[0.5, 0.25]]), dg.tensor([[1, 2]])

FLOATING = "elu celu selu mish softplus logsigmoid leaky_relu hardsigmoid hardswish".split()  # noqa: SIM905


@pytest.mark.parametrize("name", FLOATING)
def test_whole_numbers(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name}: the input must be of floating-point type"):
        getattr(F, name)(WHOLE)


REFUSED: list[tuple[type[Exception], str, Callable[[], Any]]] = [
    (RuntimeError, "softshrink: lambd must be 0 or more, got -1", lambda: F.softshrink(X, -1)),
    (ValueError, "min_val must not be above max_val, got 1 and 0", lambda: F.hardtanh(X, 1, 0)),
    (RuntimeError, "celu: alpha must not be 0", lambda: F.celu(X, 0)),
    (RuntimeError, r"glu: dim 0 must have an even length, got .* \(1, 2\)", lambda: F.glu(X, 0)),
    (RuntimeError, r"\(1, 2\) takes 1 or 2 weights, got 3", lambda: F.prelu(X, dg.ones(3))),
    (RuntimeError, r"weight must have shape \(\) or \(C,\)", lambda: F.prelu(X, dg.ones(1, 2))),
    (RuntimeError, "one data type, got float32 and int64", lambda: F.prelu(X, dg.tensor([1]))),
    (
        ValueError,
        r"weight and input must have one shape, got \(2,\) and \(1, 2\)",
        lambda: F.l1_loss(X, X, weight=dg.ones(2)),
    ),
    (ValueError, "beta must be 0 or more, got -1", lambda: F.smooth_l1_loss(X, X, beta=-1)),
    (ValueError, "delta must be positive, got 0", lambda: F.huber_loss(X, X, delta=0)),
    (
        ValueError,
        "variances must be 0 or more, got -0.5",
        lambda: F.gaussian_nll_loss(X, X, -X),
    ),
    (
        ValueError,
        r"var must have the input's shape \(1, 2\).*got \(3,\)",
        lambda: F.gaussian_nll_loss(X, X, dg.ones(3)),
    ),
    (
        ValueError,
        "label_smoothing must be from 0 to 1, got 2",
        lambda: F.cross_entropy(X, dg.tensor([0]), label_smoothing=2),
    ),
    (
        RuntimeError,
        "ignore_index=1 leaves out a class number, but the targets are probabilities",
        lambda: F.cross_entropy(X, X, ignore_index=1),
    ),
    (
        RuntimeError,
        r"weight must have shape \(2,\), one for each class, got \(3,\)",
        lambda: F.cross_entropy(X, dg.tensor([0]), dg.ones(3)),
    ),
    (
        RuntimeError,
        "data type float32 of the scores, got float64",
        lambda: F.nll_loss(X, dg.tensor([0]), dg.ones(2).double()),
    ),
    (ValueError, "an axis of classes", lambda: F.nll_loss(dg.tensor(1.0), dg.tensor(0))),
    (
        RuntimeError,
        "from 0 to 1, got 1.0 to 2.0; binary_cross_entropy_with_logits takes scores",
        lambda: F.binary_cross_entropy(X * 4, X),
    ),
    (
        ValueError,
        r"one shape, got \(1, 2\) and \(2,\); reshape",
        lambda: F.binary_cross_entropy_with_logits(X, X[0]),
    ),
    (
        RuntimeError,
        r"same number of axes, got shapes \(1, 2\), \(1, 2\) and \(2,\)",
        lambda: F.margin_ranking_loss(X, X, X[0]),
    ),
    (
        RuntimeError,
        r"inputs \(N, D\) need a target \(N,\)",
        lambda: F.cosine_embedding_loss(X, X, X),
    ),
    (RuntimeError, "same number of axes", lambda: F.triplet_margin_loss(X, X, X[0])),
    (ValueError, "margin must be positive, got 0", lambda: F.triplet_margin_loss(X, X, X, 0)),
]


@pytest.mark.parametrize(("error", "message", "call"), REFUSED)
def test_refused(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=message):
        call()


LOSSES: dict[str, Callable[[str], Any]] = {
    "mse_loss": lambda r: F.mse_loss(X, X, reduction=r),
    "l1_loss": lambda r: F.l1_loss(X, X, reduction=r),
    "huber_loss": lambda r: F.huber_loss(X, X, reduction=r),
    "smooth_l1_loss": lambda r: F.smooth_l1_loss(X, X, reduction=r),
    "kl_div": lambda r: F.kl_div(X, X, reduction=r),
    "binary_cross_entropy": lambda r: F.binary_cross_entropy(X, X, reduction=r),
    "poisson_nll_loss": lambda r: F.poisson_nll_loss(X, X, reduction=r),
    "gaussian_nll_loss": lambda r: F.gaussian_nll_loss(X, X, X, reduction=r),
    "soft_margin_loss": lambda r: F.soft_margin_loss(X, X, reduction=r),
    "hinge_embedding_loss": lambda r: F.hinge_embedding_loss(X, X, reduction=r),
    "cross_entropy": lambda r: F.cross_entropy(X, X, reduction=r),
}


@pytest.mark.parametrize("name", LOSSES)
def test_unknown_reductions(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: reduction must be one of .* got 'max'"):
        LOSSES[name]("max")
