"""Counts, quantiles, modes and covariances: against NumPy, by hand, and against PyTorch."""

from typing import Any

import numpy as np
import pytest
from helpers.parity import Call, check_gradients, check_refused, check_same

import distgrad as dg

INF, NAN = np.inf, np.nan
X = np.array([[3.0, -1.0, 2.0, 0.5], [0.0, 5.0, -2.5, 1.0], [4.0, 1.5, 0.25, -3.0]])


def test_counts() -> None:
    x = dg.tensor([[1, 0, 2], [0, 0, 3]])
    assert x.count_nonzero().item() == 3
    assert dg.count_nonzero(x, 0).tolist() == [1, 0, 2]
    assert dg.count_nonzero(x, (0, 1)).item() == 3
    assert x.count_nonzero().dtype == np.int64


def test_bounds() -> None:
    x = dg.tensor(X, requires_grad=True)
    low, high = dg.aminmax(x, dim=1)
    assert (low.tolist(), high.tolist()) == ([-1.0, -2.5, -3.0], [3.0, 5.0, 4.0])
    (high.sum() - low.sum()).backward()
    assert x.grad.sum(1).tolist() == [0, 0, 0]
    assert [b.item() for b in x.aminmax()] == [-3.0, 5.0]


def test_the_median_of_numbers() -> None:
    x = np.array([[NAN, 4.0, 1.0, 2.0], [NAN, NAN, 7.0, 5.0], [NAN] * 4])
    values, indices = dg.nanmedian(dg.tensor(x), 1)
    np.testing.assert_array_equal(values.data, [2.0, 5.0, NAN])
    assert indices.tolist()[:2] == [3, 3]
    assert dg.nanmedian(dg.tensor(x)).item() == 4.0
    assert np.isnan(dg.tensor(x[2]).nanmedian().item())


def test_modes() -> None:
    values, indices = dg.mode(dg.tensor([[3, 1, 1, 2, 3], [5, 5, 4, 4, 4]]))
    assert (values.tolist(), indices.tolist()) == ([1, 4], [2, 4])
    assert dg.tensor([[1.0], [1.0]]).mode(0, keepdim=True).indices.tolist() == [[1]]


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("dim", [None, 0, 1])
def test_quantiles(dim: int | None, interpolation: str) -> None:
    q = [0.0, 0.3, 0.5, 0.9, 1.0]
    mine = dg.quantile(
        dg.tensor(X), dg.tensor(q, dtype=dg.float64), dim, interpolation=interpolation
    )
    np.testing.assert_allclose(mine.data, np.quantile(X, q, axis=dim, method=interpolation))
    one = dg.tensor(X).quantile(0.3, dim, True, interpolation=interpolation)
    expected = np.quantile(X, 0.3, axis=dim, method=interpolation, keepdims=True)
    np.testing.assert_allclose(one.data, expected)


def test_quantiles_of_what_is_not_nan() -> None:
    x = np.array([[1.0, NAN, 3.0], [NAN, NAN, NAN]])
    np.testing.assert_array_equal(dg.quantile(dg.tensor(x), 0.5, 1).data, [NAN, NAN])
    np.testing.assert_array_equal(dg.nanquantile(dg.tensor(x), 0.5, 1).data, [2.0, NAN])


def test_covariances() -> None:
    frequencies, weights = np.array([1, 2, 1, 3]), np.array([0.1, 0.4, 0.3, 0.2])
    for arguments in (
        {},
        {"correction": 0},
        {"fweights": frequencies},
        {"aweights": weights},
        {"fweights": frequencies, "aweights": weights, "correction": 0},
    ):
        given = {k: dg.tensor(v) if k != "correction" else v for k, v in arguments.items()}
        others = {("ddof" if k == "correction" else k): v for k, v in arguments.items()}
        np.testing.assert_allclose(dg.cov(dg.tensor(X), **given).data, np.cov(X, **others))
    np.testing.assert_allclose(dg.corrcoef(dg.tensor(X)).data, np.corrcoef(X))
    np.testing.assert_allclose(dg.tensor(X[0]).cov().item(), np.cov(X[0]))
    assert dg.corrcoef(dg.tensor([1.0, 2.0])).item() == 1
    assert dg.cov(dg.tensor([[1, 2], [3, 5]])).dtype == np.float32


def test_gradients() -> None:
    x = dg.tensor(X, requires_grad=True)
    q = dg.tensor([0.2, 0.7], dtype=dg.float64, requires_grad=True)
    for call in (dg.cov, dg.corrcoef, lambda x: dg.mode(x).values, dg.nanmedian):
        assert dg.autograd.gradcheck(call, x)
        assert dg.autograd.gradgradcheck(call, x)
    assert dg.autograd.gradcheck(lambda x, q: dg.quantile(x, q, 1), (x, q))


def raises(message: str, call: Any, error: type[Exception] = RuntimeError) -> None:
    with pytest.raises(error, match=message):
        call()


def test_messages() -> None:
    x = dg.tensor(X)
    raises("takes float32 or float64, not int64", lambda: dg.quantile(dg.ones(2).long(), 0.5))
    raises(
        "interpolation must be one of linear, lower", lambda: x.quantile(0.5, interpolation="up")
    )
    raises(r"quantile\(\) needs elements, got shape \(0,\)", lambda: dg.zeros(0).quantile(0.5))
    raises("q must be a number, or a 0-d or 1-d tensor of float64, got", lambda: x.quantile(x))
    raises("q must be from 0 to 1, got 1.5", lambda: x.nanquantile(1.5))
    raises("takes a matrix of numbers, its rows the variables", lambda: dg.ones(1, 1, 1).cov())
    raises("fweights must be 4 whole numbers", lambda: x.cov(fweights=dg.ones(4)))
    raises("aweights must be 4 floating-point", lambda: x.cov(aweights=dg.ones(3)))
    raises("aweights must not be negative", lambda: x.cov(aweights=-dg.ones(4)))
    raises("dim -1 of shape .* has no element", lambda: dg.zeros(0).mode(), IndexError)
    with pytest.warns(UserWarning, match="correction=1 leaves no degree of freedom"):
        assert np.isnan(dg.cov(dg.ones(2, 1)).data).all()


CALLS: dict[str, Call] = {
    "aminmax": lambda m, f, x: m.aminmax(x)[0] * x.aminmax(dim=0)[1],
    "nanmedian": lambda m, f, x: m.nanmedian(x) * x.nanmedian(1)[0],
    "mode": lambda m, f, x: m.mode(x, 0)[0] * x.mode(0, True).values,
    "quantile": lambda m, f, x: m.quantile(x, 0.3, dim=1) * x.quantile(0.6),
    "nanquantile": lambda m, f, x: m.nanquantile(x, m.tensor([0.1, 0.5]).double(), 0, True),
    "cov": lambda m, f, x: m.cov(x, correction=0) * x.cov(fweights=m.tensor([1, 2, 3, 1])),
    "corrcoef": lambda m, f, x: m.corrcoef(x) * x[0].corrcoef(),
}


@pytest.mark.parametrize("name", CALLS)
def test_against_pytorch(name: str) -> None:
    check_gradients([X], CALLS[name])


def test_data_types_against_pytorch() -> None:
    torch = pytest.importorskip("torch")
    for dtype in ("float32", "int32", "uint8"):
        x = np.array([[1, 2, 2], [3, 0, 5]]).astype(dtype)
        for name in ("count_nonzero", "cov", "corrcoef", "nanmedian"):
            mine, other = (getattr(m, name)(m.tensor(x)) for m in (dg, torch))
            check_same(mine, other, rtol=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda m, f, x: m.quantile(x, 2.0),
        lambda m, f, x: m.quantile(x, x),
        lambda m, f, x: x.cov(aweights=m.tensor([1, 2, 3, 4])),
        lambda m, f, x: m.mode(x[:0], 0),
        lambda m, f, x: m.nanmedian(x > 0),
    ],
)
def test_refused_by_both(call: Call) -> None:
    check_refused(call, X)
