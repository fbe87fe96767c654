"""Factors of matrices and what is solved with them: by their definitions, and against PyTorch."""

from typing import Any

import numpy as np
import pytest
import scipy.linalg
from helpers.parity import Call, check_gradients, check_refused

import distgrad as dg
from distgrad import linalg

GENERATOR = np.random.default_rng(5)
SHAPES = [(3, 3), (4, 2), (2, 4), (2, 3, 2), (0, 2, 2), (2, 0), (0, 3)]


def matrices(*shape: int) -> np.ndarray:
    return GENERATOR.uniform(-1, 1, shape)


def symmetric(n: int) -> np.ndarray:
    x = matrices(n, n) / 5
    return x + x.T + np.diag(np.arange(n) * 2.0 + 1)


def close(mine: Any, expected: Any) -> None:
    np.testing.assert_allclose(mine.data, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonal_and_triangular(shape: tuple[int, ...]) -> None:
    x = dg.tensor(matrices(*shape))
    m, n = shape[-2:]
    for mode, k in (("reduced", min(m, n)), ("complete", m)):
        q, r = linalg.qr(x, mode)
        assert (q.shape[-2:], r.shape[-2:]) == ((m, k), (k, n))
        close(q @ r, x.data)
        close(q.mT @ q, np.broadcast_to(np.eye(k), (*shape[:-2], k, k)))
        close(r, np.triu(r.data))
    empty, r = linalg.qr(x, "r")
    assert empty.shape == (0,)
    close(r, linalg.qr(x).R.data)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values(shape: tuple[int, ...], full: bool) -> None:
    x = dg.tensor(matrices(*shape))
    m, n = shape[-2:]
    k = min(m, n)
    u, s, vh = linalg.svd(x, full_matrices=full)
    assert (u.shape[-2:], vh.shape[-2:]) == (((m, m), (n, n)) if full else ((m, k), (k, n)))
    close((u[..., :k] * s.unsqueeze(-2)) @ vh[..., :k, :], x.data)
    close(u.mT @ u, np.broadcast_to(np.eye(u.shape[-1]), (*shape[:-2], *u.shape[-1:] * 2)))
    close(vh @ vh.mT, np.broadcast_to(np.eye(vh.shape[-2]), (*shape[:-2], *vh.shape[-2:-1] * 2)))
    close(s, np.linalg.svd(x.data, compute_uv=False))
    close(linalg.svdvals(x), s.data)


@pytest.mark.parametrize("triangle", ["L", "U", "u"])
def test_eigenvalues(triangle: str) -> None:
    x = matrices(2, 3, 3)
    half = np.tril(x) if triangle == "L" else np.swapaxes(np.triu(x), -1, -2)
    full = half + np.swapaxes(np.tril(half, -1), -1, -2)
    values, vectors = linalg.eigh(dg.tensor(x), triangle)
    close(dg.tensor(full) @ vectors, (vectors * values.unsqueeze(-2)).data)
    close(vectors.mT @ vectors, np.broadcast_to(np.eye(3), (2, 3, 3)))
    close(linalg.eigvalsh(dg.tensor(x), triangle), values.data)


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("unitriangular", [True, False])
def test_triangular_equations(upper: bool, unitriangular: bool) -> None:
    a, b = matrices(3, 3) + np.eye(3), matrices(3, 2)
    x = linalg.solve_triangular(
        dg.tensor(a), dg.tensor(b), upper=upper, unitriangular=unitriangular
    )
    expected = scipy.linalg.solve_triangular(a, b, lower=not upper, unit_diagonal=unitriangular)
    close(x, expected)
    right = linalg.solve_triangular(dg.tensor(a), dg.tensor(b.T), upper=upper, left=False)
    close(right @ dg.tensor(np.triu(a) if upper else np.tril(a)), b.T)


@pytest.mark.parametrize("shape", SHAPES)
def test_pseudo_inverses(shape: tuple[int, ...]) -> None:
    x = matrices(*shape)
    if 0 not in shape[-2:]:
        x[..., 0, :] = 0
    close(linalg.pinv(dg.tensor(x)), np.linalg.pinv(x))
    assert linalg.matrix_rank(dg.tensor(x)).tolist() == np.linalg.matrix_rank(x).tolist()


def test_tolerances() -> None:
    x = dg.tensor(np.diag([4.0, 1.0, 1e-3]))
    for arguments, rank in (
        ({}, 3),
        ({"rtol": 0.1}, 2),
        ({"atol": 2.0}, 1),
        ({"atol": dg.tensor(2.0), "rtol": 0.0}, 1),
        ({"hermitian": True, "rtol": 0.5}, 1),
    ):
        assert linalg.matrix_rank(x, **arguments).item() == rank
        assert np.count_nonzero(np.diag(linalg.pinv(x, **arguments).data)) == rank
    assert linalg.matrix_rank(x, 0.5).item() == 2
    assert linalg.matrix_rank(dg.zeros(2, 2)).item() == 0
    skew = dg.tensor([[2.0, 99.0], [1.0, 2.0]], dtype=dg.float64)
    close(linalg.pinv(skew, hermitian=True), np.linalg.inv([[2.0, 1.0], [1.0, 2.0]]))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (3, 3)])
def test_least_squares(shape: tuple[int, int]) -> None:
    a, b = matrices(*shape), matrices(shape[0], 2)
    expected, residuals, rank, values = np.linalg.lstsq(a, b, rcond=None)
    found = linalg.lstsq(dg.tensor(a), dg.tensor(b), driver="gelsd")
    close(found.solution, expected)
    close(found.residuals, residuals)
    close(found.singular_values, values)
    assert found.rank.item() == rank
    vector = linalg.lstsq(dg.tensor(a), dg.tensor(b[:, 0]))
    close(vector.solution, expected[:, 0])
    assert vector.singular_values.shape == (0,)
    assert linalg.lstsq(dg.tensor(a), dg.tensor(b), driver="gels").rank.shape == (0,)


def test_conditions() -> None:
    x = matrices(3, 3)
    for p in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc"):
        close(linalg.cond(dg.tensor(x), p), np.linalg.cond(x, p))
    assert linalg.cond(dg.tensor([[1.0, 2.0], [2.0, 4.0]]), 1).item() == np.inf
    assert linalg.cond(dg.ones(2, 0, 0)).tolist() == [0.0, 0.0]


def test_exponentials() -> None:
    for size in (0.1, 3.0, 30.0):
        x = matrices(2, 3, 3) * size
        mine = dg.matrix_exp(dg.tensor(x))
        np.testing.assert_allclose(mine.data, scipy.linalg.expm(x), rtol=1e-11)
    assert dg.zeros(2, 2).matrix_exp().dtype == np.float32


def test_by_cholesky_factors() -> None:
    a, b = symmetric(3), matrices(3, 2)
    for upper in (False, True):
        factor = dg.cholesky(dg.tensor(a), upper)
        close(dg.cholesky_solve(dg.tensor(b), factor, upper), np.linalg.solve(a, b))
        close(dg.cholesky_inverse(factor, upper), np.linalg.inv(a))


def test_tensor_equations() -> None:
    a = matrices(2, 3, 6)
    close(linalg.tensorinv(dg.tensor(a)), np.linalg.tensorinv(a))
    b = matrices(2, 3)
    close(linalg.tensorsolve(dg.tensor(a), dg.tensor(b)), np.linalg.tensorsolve(a, b))
    moved = np.moveaxis(a, -1, 0)
    close(linalg.tensorsolve(dg.tensor(moved), dg.tensor(b), (0,)), np.linalg.tensorsolve(a, b))
    chain = [matrices(2, 3), matrices(3, 4), matrices(4, 1)]
    close(dg.chain_matmul(*map(dg.tensor, chain)), chain[0] @ chain[1] @ chain[2])


# Gradients

DIFFERENTIABLE: dict[str, Any] = {
    "qr": lambda x: linalg.qr(x[:, :2]),
    "qr of wide": lambda x: linalg.qr(x[:2]),
    "svd": lambda x: (linalg.svd(x).U.square(), linalg.svd(x).S, linalg.svd(x).Vh.square()),
    "svd of tall": lambda x: (linalg.svd(x[:, :2])[0][:, :2].square(), linalg.svd(x[:, :2])[1]),
    "eigh": lambda x: (linalg.eigh(x + x.T)[0], linalg.eigh(x + x.T)[1].square()),
    "eigvalsh": lambda x: linalg.eigvalsh(x + x.T),
    "pinv": lambda x: linalg.pinv(x[:, :2]),
    "lstsq": lambda x: linalg.lstsq(x[:, :2], x[:, 2]).solution,
    "solve_triangular": lambda x: linalg.solve_triangular(x, x[:, :2], upper=True),
    "cond": lambda x: linalg.cond(x) + linalg.cond(x, 1),
    "matrix_exp": dg.matrix_exp,
    "cholesky_solve": lambda x: dg.cholesky_solve(x, x),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients(name: str) -> None:
    x = matrices(3, 3) / 4 + np.diag([1.0, 2.0, 3.0])
    call = DIFFERENTIABLE[name]
    assert dg.autograd.gradcheck(call, dg.tensor(x, requires_grad=True), atol=1e-6)
    assert dg.autograd.gradgradcheck(call, dg.tensor(x, requires_grad=True), atol=1e-5)


CALLS: dict[str, Call] = {
    "qr": lambda m, f, x: m.linalg.qr(x[:, :2])[0] @ m.linalg.qr(x[:2])[1],
    "svd": lambda m, f, x: m.linalg.svd(x[:2], full_matrices=False)[2].abs() + m.linalg.svdvals(x),
    "eigh": lambda m, f, x: m.linalg.eigh(x + x.T)[1].abs() * m.linalg.eigvalsh(x.T @ x, UPLO="U"),
    "pinv": lambda m, f, x: m.linalg.pinv(x[:2]) @ m.linalg.pinv(x @ x.T, hermitian=True)[:2],
    "lstsq": lambda m, f, x: m.linalg.lstsq(x, x[:, :1]).solution * x,
    "solve_triangular": lambda m, f, x: m.linalg.solve_triangular(x, x, upper=False),
    "cond": lambda m, f, x: m.linalg.cond(x) * m.linalg.cond(x, -2),
    "matrix_exp": lambda m, f, x: m.matrix_exp(x / 5) @ m.linalg.matrix_exp(x / 9),
    "tensorinv": lambda m, f, x: m.linalg.tensorinv(x[:, None], ind=2)[0],
    "tensorsolve": lambda m, f, x: m.linalg.tensorsolve(x, x[0]),
}


@pytest.mark.parametrize("name", CALLS)
def test_against_pytorch(name: str) -> None:
    x = np.random.default_rng(1).uniform(-0.3, 0.3, (3, 3)) + np.diag([1.0, 2.0, 3.0])
    check_gradients([x], CALLS[name])


# Refusals


def raises(message: str, call: Any, error: type[Exception] = RuntimeError) -> None:
    with pytest.raises(error, match=message):
        call()


def test_messages() -> None:
    x = dg.ones(3, 2, requires_grad=True)
    raises(r"qr\(\) takes matrices, got a tensor of shape \(3,\)", lambda: linalg.qr(dg.ones(3)))
    raises(r"svd\(\) takes a floating-point tensor, not int64", lambda: linalg.svd(x.long()))
    raises('mode must be "reduced", "complete" or "r"', lambda: linalg.qr(x, "full"), ValueError)
    raises("more rows than columns, 3 and 2, have no gradient", lambda: linalg.qr(x, "complete"))
    raises(r"eigh\(\) takes square matrices", lambda: linalg.eigh(x))
    square = dg.eye(3)
    raises('UPLO must be "L" or "U", got 3', lambda: linalg.eigvalsh(square, 3), ValueError)
    raises("driver must be one of gels, gelsy", lambda: linalg.lstsq(x, x, driver="qr"), ValueError)
    raises("takes B with 3 rows, as A of", lambda: linalg.lstsq(x, dg.ones(2, 2)))
    raises(
        r"takes matrices B, got shape \(3,\); unsqueeze",
        lambda: linalg.solve_triangular(square, dg.ones(3), upper=True),
    )
    raises("takes B with 3 rows, as the factor", lambda: dg.cholesky_solve(dg.ones(2, 1), square))
    zero = dg.zeros(2, 2)
    raises("has a 0 on its diagonal", zero.cholesky_inverse, linalg.LinAlgError)
    raises("lengths that multiply to the same", lambda: linalg.tensorinv(x))
    raises("is above 0", lambda: linalg.tensorinv(square, ind=0))
    raises("elements squared, its shape that of B", lambda: linalg.tensorsolve(square, dg.ones(2)))
    raises("pinv.. takes square matrices", lambda: linalg.pinv(x, hermitian=True))
    nan = dg.full((2, 2), float("nan"))
    raises(r"svd\(\) of matrices of shape \(2, 2\)", lambda: linalg.svd(nan), linalg.LinAlgError)


@pytest.mark.parametrize(
    "call",
    [
        lambda m, f, x: m.linalg.qr(x, "full"),
        lambda m, f, x: m.linalg.eigh(x[:2]),
        lambda m, f, x: m.linalg.eigh(x, "X"),
        lambda m, f, x: m.linalg.solve_triangular(x, x[0], upper=True),
        lambda m, f, x: m.linalg.lstsq(x, x[:2]),
        lambda m, f, x: m.linalg.lstsq(x, x, driver="no"),
        lambda m, f, x: m.linalg.tensorinv(x, ind=0),
        lambda m, f, x: m.matrix_exp(x[:2]),
        lambda m, f, x: m.linalg.cond(x[:2], 1),
        lambda m, f, x: m.linalg.svd(x > 0),
    ],
)
def test_refused_by_both(call: Call) -> None:
    check_refused(call, np.eye(3))
