"""The gradient of cross-entropy where scores are not finite."""

import numpy as np
import pytest

import distgrad as dg
from distgrad.nn import functional as F


@pytest.mark.parametrize("score", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("classes", [3, 70])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_an_ignored_sample_has_none(score: float, classes: int, reduction: str) -> None:
    scores = np.zeros((2, classes))
    scores[1] = score
    x = dg.Tensor(scores, requires_grad=True)
    F.cross_entropy(x, dg.tensor([0, -100]), reduction=reduction).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.data[0], 1 / classes - np.eye(classes)[0])
    np.testing.assert_array_equal(x.grad.data[1], 0)
