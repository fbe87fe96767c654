"""Integrals, distances, bounded norms and block matrices: against NumPy, and against PyTorch."""

from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
from helpers.parity import Call, check_gradients, check_refused

import distgrad as dg

Y = np.array([[1.0, -2.0, 4.0, 0.5], [3.0, 0.0, 1.0, -1.0], [2.0, 2.5, -3.0, 1.5]])
PLACES = np.array([0.0, 0.5, 2.0, 2.25])


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_integrals(dim: int) -> None:
    y, places = dg.tensor(Y), dg.tensor(PLACES[: Y.shape[dim]])
    for given, others in (
        ({}, {}),
        ({"dx": 0.5}, {"dx": 0.5}),
        ({"x": places}, {"x": places.data}),
    ):
        mine = dg.trapezoid(y, **given, dim=dim)
        np.testing.assert_allclose(mine.data, scipy.integrate.trapezoid(Y, **others, axis=dim))
        mine = dg.cumulative_trapezoid(y, **given, dim=dim)
        expected = scipy.integrate.cumulative_trapezoid(Y, **others, axis=dim)
        np.testing.assert_allclose(mine.data, expected)


def test_integrals_of_few_values() -> None:
    assert dg.trapezoid(dg.ones(2, 0)).tolist() == [0, 0]
    assert dg.cumulative_trapezoid(dg.ones(2, 1)).shape == (2, 0)
    assert dg.trapz(dg.tensor([1, 2, 4])).item() == 4.5


def test_distances_and_bounded_norms() -> None:
    x = dg.tensor(Y)
    for p in (0, 1, 2, 3, np.inf):
        expected = np.linalg.norm((Y - PLACES).reshape(-1), p)
        np.testing.assert_allclose(dg.dist(x, dg.tensor(PLACES), p).item(), expected)
    bounded = dg.renorm(x, 2, 1, 3.0)
    norms = np.linalg.norm(Y, axis=0)
    np.testing.assert_allclose(bounded.data, Y * np.minimum(1, 3 / norms), rtol=1e-6)


def test_block_matrices() -> None:
    parts = [np.array([[1, 2]]), np.array(3.5), np.array([4, 5, 6]), np.zeros((0, 2)), np.eye(2)]
    mine = dg.block_diag(*(dg.tensor(x) for x in parts))
    np.testing.assert_array_equal(mine.data, scipy.linalg.block_diag(*parts))
    assert dg.block_diag().shape == (1, 0)


def raises(message: str, call: Any, error: type[Exception] = RuntimeError) -> None:
    with pytest.raises(error, match=message):
        call()


def test_messages() -> None:
    y = dg.tensor(Y)
    raises(r"trapezoid\(\) takes x or dx, not both", lambda: dg.trapezoid(y, y, dx=1), TypeError)
    raises("as many places x as values, 4 along dim 1, got 3", lambda: dg.trapz(y, y[:, 0], dim=1))
    raises(r"trapezoid\(\) takes numbers, not truth values", lambda: dg.trapezoid(y > 0))
    raises(r"renorm\(\) takes two axes or more, p above 0", lambda: dg.renorm(y[0], 2, 0, 1))
    raises("p=0 and maxnorm=1", lambda: y.renorm(0, 0, 1))
    raises("p=2 and maxnorm=-1", lambda: y.renorm(2, 0, -1))
    raises(r"block_diag\(\) takes matrices, got shapes", lambda: dg.block_diag(dg.ones(1, 1, 1)))


CALLS: dict[str, Call] = {
    "trapezoid": lambda m, f, y: m.trapezoid(y) * m.trapezoid(y, y, dim=0).sum(),
    "trapezoid of places": lambda m, f, y: m.trapz(y, y[0], dim=1) * m.trapezoid(y, dx=0.3),
    "cumulative_trapezoid": lambda m, f, y: m.cumulative_trapezoid(y, y * y, dim=0),
    "dist": lambda m, f, y: m.dist(y, y[0] * 2) * y.dist(y[:, :1], 3),
    "renorm": lambda m, f, y: m.renorm(y, 2, 0, 3) * y.renorm(1, 1, 4.5),
    "block_diag": lambda m, f, y: m.block_diag(y, y[0], y[0, 0]),
}


@pytest.mark.parametrize("name", CALLS)
def test_against_pytorch(name: str) -> None:
    check_gradients([Y], CALLS[name])


@pytest.mark.parametrize(
    "call",
    [
        lambda m, f, y: m.trapezoid(y > 0),
        lambda m, f, y: m.trapezoid(y, y[:, 0]),
        lambda m, f, y: m.renorm(y[0], 2, 0, 1),
        lambda m, f, y: m.renorm(y, 2, 0, -1),
        lambda m, f, y: m.dist(y.long(), y.long()),
        lambda m, f, y: m.block_diag(y[None]),
    ],
)
def test_refused_by_both(call: Call) -> None:
    check_refused(call, Y)
