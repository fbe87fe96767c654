"""Products and matrices: values by NumPy, and what is refused."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg

G = np.random.default_rng(0)
X, Y = G.standard_normal((2, 3, 3)), G.standard_normal((2, 3, 4))
V = G.standard_normal(3)
POSITIVE = X @ X.transpose(0, 2, 1) + np.eye(3)

CALLS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[], Any]]] = {
    "mm": (lambda x, y: dg.mm(x[0], y[0]), lambda: X[0] @ Y[0]),
    "bmm": (dg.bmm, lambda: X @ Y),
    "mv": (lambda x, y: dg.mv(x[0], y[0, :, 0]), lambda: X[0] @ Y[0, :, 0]),
    "vdot": (lambda x, y: dg.vdot(x[0, 0], y[0, :, 0]), lambda: X[0, 0] @ Y[0, :, 0]),
    "outer": (lambda x, y: dg.outer(x[0, 0], y[0, 0]), lambda: np.outer(X[0, 0], Y[0, 0])),
    "ger": (lambda x, y: dg.ger(x[0, 0], y[0, 0]), lambda: np.outer(X[0, 0], Y[0, 0])),
    "inner": (lambda x, y: dg.inner(x, y.mT), lambda: np.inner(X, Y.transpose(0, 2, 1))),
    "inner of a number": (lambda x, y: dg.inner(x[0, 0, 0], y), lambda: X[0, 0, 0] * Y),
    "kron": (lambda x, y: dg.kron(x[0], y), lambda: np.kron(X[0], Y)),
    "cross": (
        lambda x, y: dg.cross(x, y[:, :, :1]),
        lambda: np.cross(X, Y[:, :, [0] * 3], axis=1),
    ),
    "linalg.cross": (
        lambda x, y: dg.linalg.cross(x, x.mT),
        lambda: np.cross(X, X.transpose(0, 2, 1)),
    ),
    "vecdot": (lambda x, y: dg.linalg.vecdot(x, x[0], dim=1), lambda: (X * X[0]).sum(1)),
    "tensordot": (
        lambda x, y: dg.tensordot(x, y, ([0, 2], [0, 1])),
        lambda: np.tensordot(X, Y, ([0, 2], [0, 1])),
    ),
    "tensordot of one": (lambda x, y: dg.tensordot(x, y[0], 1), lambda: np.tensordot(X, Y[0], 1)),
    "tensordot of none": (lambda x, y: dg.tensordot(x, y, 0), lambda: np.tensordot(X, Y, 0)),
    "tensordot stretched": (
        lambda x, y: dg.tensordot(x[:, :, :1], y, ([2], [1])),
        lambda: np.tensordot(X[:, :, 0], Y.sum(1), 0),
    ),
    "addmm": (
        lambda x, y: dg.addmm(y[1], x[0], y[0], beta=2, alpha=0.5),
        lambda: 2 * Y[1] + X[0] @ Y[0] / 2,
    ),
    "addmv": (
        lambda x, y: dg.addmv(y[0, 0, 0], x[0], x[1, 0]),
        lambda: Y[0, 0, 0] + X[0] @ X[1, 0],
    ),
    "addr": (
        lambda x, y: dg.addr(y[0], x[0, 0], y[1, 0], alpha=-1),
        lambda: Y[0] - np.outer(X[0, 0], Y[1, 0]),
    ),
    "baddbmm": (lambda x, y: dg.baddbmm(y, x, y, beta=0), lambda: X @ Y),
    "addbmm": (lambda x, y: dg.addbmm(y[0], x, y, beta=3), lambda: 3 * Y[0] + (X @ Y).sum(0)),
    "einsum of axes": (
        lambda x, y: dg.einsum(x, [0, 1, 2], y, [0, 2, 3], [3, 1]),
        lambda: np.einsum("bij,bjk->ki", X, Y),
    ),
    "einsum of axes, implicit": (
        lambda x, y: dg.einsum(y, [..., 27, 3]),
        lambda: Y.transpose(0, 2, 1),
    ),
    "cdist": (
        lambda x, y: dg.cdist(x, y.mT),
        lambda: np.linalg.norm(X[:, :, None] - Y.transpose(0, 2, 1)[:, None], axis=-1),
    ),
    "cdist of order 3": (
        lambda x, y: dg.cdist(x[0], x[1], 3),
        lambda: (abs(X[0][:, None] - X[1][None]) ** 3).sum(-1) ** (1 / 3),
    ),
    "inverse": (lambda x, y: dg.inverse(x), lambda: np.linalg.inv(X)),
    "linalg.inv": (lambda x, y: dg.linalg.inv(x[0]), lambda: np.linalg.inv(X[0])),
    "det": (lambda x, y: dg.det(x), lambda: np.linalg.det(X)),
    "slogdet": (lambda x, y: dg.slogdet(x).logabsdet, lambda: np.linalg.slogdet(X)[1]),
    "logdet": (lambda x, y: dg.logdet(x @ x.mT), lambda: np.log(np.linalg.det(X) ** 2)),
    "solve": (dg.linalg.solve, lambda: np.linalg.solve(X, Y)),
    "solve for vectors": (
        lambda x, y: dg.linalg.solve(x, y[:, :, 1]),
        lambda: np.linalg.solve(X, Y[:, :, 1:2])[..., 0],
    ),
    "solve for a vector": (
        lambda x, y: dg.linalg.solve(x, y[0, :, 1]),
        lambda: np.linalg.solve(X, Y[0, :, 1]),
    ),
    "solve from the right": (
        lambda x, y: dg.linalg.solve(x, y.mT, left=False),
        lambda: Y.transpose(0, 2, 1) @ np.linalg.inv(X),
    ),
    "cholesky": (
        lambda x, y: dg.linalg.cholesky(x @ x.mT + dg.tensor(np.eye(3))),
        lambda: np.linalg.cholesky(POSITIVE),
    ),
    "cholesky upper": (
        lambda x, y: dg.cholesky(x @ x.mT + dg.tensor(np.eye(3)), True),
        lambda: np.linalg.cholesky(POSITIVE).transpose(0, 2, 1),
    ),
    "matrix_power": (lambda x, y: dg.matrix_power(x, 5), lambda: np.linalg.matrix_power(X, 5)),
    "matrix_power below 0": (
        lambda x, y: dg.linalg.matrix_power(x, -3),
        lambda: np.linalg.matrix_power(X, -3),
    ),
    "matrix_power 0": (
        lambda x, y: x.matrix_power(0) + 0 * x,
        lambda: np.broadcast_to(np.eye(3), X.shape),
    ),
    "matrix_power 1": (lambda x, y: x.matrix_power(1), lambda: X),
    "multi_dot": (
        lambda x, y: dg.linalg.multi_dot([x[0, 0], x[1], y[0], y[1].mT, x[0, 1]]),
        lambda: X[0, 0] @ X[1] @ Y[0] @ Y[1].T @ X[0, 1],
    ),
    "linalg.diagonal": (
        lambda x, y: dg.linalg.diagonal(y, offset=1),
        lambda: np.diagonal(Y, 1, 1, 2),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name: str) -> None:
    call, reference = CALLS[name]
    x, y = dg.tensor(X, requires_grad=True), dg.tensor(Y, requires_grad=True)
    np.testing.assert_allclose(call(x, y).data, reference(), rtol=1e-11, atol=1e-13)
    assert dg.autograd.gradcheck(lambda x, y: call(x, y) ** 2, (x, y), atol=1e-4)


@given(st.lists(st.integers(1, 5), min_size=3, max_size=7))
def test_a_chain_in_any_order(sizes: list[int]) -> None:
    generator = np.random.default_rng(0)
    chain = [generator.standard_normal((n, m)) for n, m in pairwise(sizes)]
    expected = chain[0]
    for x in chain[1:]:
        expected = expected @ x
    np.testing.assert_allclose(dg.linalg.multi_dot(chain).data, expected, rtol=1e-12, atol=1e-12)


def test_a_beta_of_0_keeps_nan_out() -> None:
    bad = dg.tensor([[float("nan")]], requires_grad=True)
    one = dg.ones(1, 1)
    result = dg.addmm(bad, one, one, beta=0)
    assert result.item() == 1
    assert dg.autograd.grad(result, bad)[0].item() == 0
    assert dg.addr(dg.tensor([[True]]), [True], [False], beta=3).tolist() == [[True]]
    assert dg.addmm([[2]], [[3]], [[4]], beta=0.5, alpha=2.5).tolist() == [[24]]


def test_methods_take_arrays() -> None:
    for call in (
        lambda x, y: x.matmul(y),
        lambda x, y: x.kron(y),
        lambda x, y: x.inner(y),
        lambda x, y: x.addmm(y, y),
        lambda x, y: x.addbmm(y[None], y[None]),
        lambda x, y: x.scatter_add(0, np.array([[1]]), y),
        lambda x, y: x.index_copy(0, np.array([1]), y[:1]),
        lambda x, y: x.put(np.array([1]), y[0, :1]),
        lambda x, y: x.masked_scatter(y > 0, y),
    ):
        x = dg.Tensor(X[0])
        np.testing.assert_array_equal(call(x, X[1]).data, call(x, dg.Tensor(X[1])).data)


def test_determinants_of_singular_matrices() -> None:
    x = dg.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=dg.float64, requires_grad=True)
    value, (gradient,) = dg.det(x), dg.autograd.grad(dg.det(x), x)
    assert abs(value.item()) < 1e-15
    np.testing.assert_allclose(gradient.data, [[4, -2], [-2, 1]], atol=1e-14)
    sign, size = dg.slogdet(dg.zeros(2, 2))
    assert (sign.item(), size.item()) == (0, -np.inf)
    assert np.isnan(dg.logdet(dg.tensor([[0.0, 1.0], [1.0, 0.0]])).item())
    assert dg.logdet(dg.zeros(2, 2)).item() == -np.inf


def test_third_order_of_a_determinant() -> None:
    x = dg.tensor(X[0], requires_grad=True)

    def second(x: Any) -> Any:
        (first,) = dg.autograd.grad(dg.det(x) ** 2, x, create_graph=True)
        return dg.autograd.grad((first**2).sum(), x, create_graph=True)[0]

    assert dg.autograd.gradcheck(second, x, atol=1e-4)


A, B, COLUMN = dg.Tensor(X), dg.Tensor(Y), dg.Tensor(V)
WHOLE, TRUTH = dg.tensor([[1, 2], [3, 4]]), dg.tensor([[True]])
ZERO = dg.zeros(2, 2)

REFUSED: list[tuple[type[Exception], str, Callable[[], Any]]] = [
    (RuntimeError, r"cannot multiply shapes \(2, 3, 4\) and \(2, 3, 4\): the last", lambda: B @ B),
    (RuntimeError, r"matmul\(\) takes numbers, not truth values", lambda: TRUTH @ TRUTH),
    (
        RuntimeError,
        r"mm\(\) takes operands of 2 and 2 axes, got shapes \(2, 3, 3\)",
        lambda: dg.mm(A, B),
    ),
    (TypeError, r"mm\(\) takes Tensors or arrays, got list", lambda: WHOLE.mm([[1]])),
    (TypeError, r"inner\(\) takes Tensors or arrays, got int", lambda: WHOLE.inner(2)),
    (RuntimeError, "as many matrices by as many, got 2 and 1", lambda: dg.bmm(A, B[:1])),
    (RuntimeError, "mv.. takes operands of 2 and 1 axes", lambda: dg.mv(COLUMN, COLUMN)),
    (
        RuntimeError,
        r"dot\(\) cannot multiply shapes \(3,\) and \(2,\)",
        lambda: dg.dot(COLUMN, COLUMN[:2]),
    ),
    (RuntimeError, "equally long last axes, got .*3, 3.* and .*3, 4", lambda: dg.inner(A, B)),
    (RuntimeError, r"inner\(\) needs operands of one data type", lambda: dg.inner(A, WHOLE)),
    (RuntimeError, "outer.. takes operands of 1 and 1 axes", lambda: dg.outer(A, COLUMN)),
    (RuntimeError, r"cross\(\) needs length 3 along axis 2", lambda: dg.linalg.cross(B, B)),
    (RuntimeError, r"needs an axis of length 3, got shape \(2, 2\)", lambda: dg.cross(ZERO, ZERO)),
    (RuntimeError, r"operands of as many axes, got .*unsqueeze", lambda: dg.cross(A, COLUMN)),
    (RuntimeError, r"dims=4 must be from 0 to 3", lambda: dg.tensordot(A, B, 4)),
    (
        RuntimeError,
        r"pairs axes of one length, got lengths \[3\] and \[4\]",
        lambda: dg.tensordot(A, B, ([1], [2])),
    ),
    (
        RuntimeError,
        r"tensordot\(\) names an axis twice",
        lambda: dg.tensordot(A, B, ([1, 1], [0, 1])),
    ),
    (
        RuntimeError,
        "einsum.. needs operands of one data type",
        lambda: dg.einsum("i,i", COLUMN, [1, 2, 3]),
    ),
    (RuntimeError, r"addmm\(\) takes operands of 2 and 2 axes", lambda: dg.addmm(ZERO, A, B)),
    (
        RuntimeError,
        r"cannot expand shape \(2, 2\) to \(3, 4\)",
        lambda: dg.addmm(ZERO.double(), A[0], B[0]),
    ),
    (
        RuntimeError,
        r"addmm\(\) needs operands of one data type",
        lambda: dg.addmm(ZERO, A[0], B[0]),
    ),
    (
        RuntimeError,
        r"beta=0.5 and alpha=1 must be whole",
        lambda: dg.addr(WHOLE, [1, 2], [1, 2], beta=0.5),
    ),
    (RuntimeError, "baddbmm.. multiplies as many", lambda: dg.baddbmm(B, A, B[:1])),
    (RuntimeError, "addbmm.. multiplies as many", lambda: dg.addbmm(B[0], A, B[:1])),
    (
        RuntimeError,
        r"as many coordinates.*got shapes \(2, 3, 3\) and \(2, 3, 4\)",
        lambda: dg.cdist(A, B),
    ),
    (RuntimeError, "must not be negative, got -1", lambda: dg.cdist(A, A, -1)),
    (
        RuntimeError,
        r"inv\(\) takes square matrices, got shape \(2, 3, 4\)",
        lambda: dg.linalg.inv(B),
    ),
    (
        RuntimeError,
        r"det\(\) takes matrices of floating-point type, not int64",
        lambda: dg.det(WHOLE),
    ),
    (
        dg.linalg.LinAlgError,
        r"inv\(\): a matrix of shape \(2, 2\) is singular",
        lambda: dg.inverse(ZERO),
    ),
    (dg.linalg.LinAlgError, r"solve\(\): .* is singular", lambda: dg.linalg.solve(ZERO, ZERO)),
    (dg.linalg.LinAlgError, "is not positive definite", lambda: dg.cholesky(ZERO - 1)),
    (
        RuntimeError,
        r"takes B with 3 rows, as A of shape .* got shape \(2, 4, 3\)",
        lambda: dg.linalg.solve(A, B.mT),
    ),
    (RuntimeError, "left=False takes matrices B", lambda: dg.linalg.solve(A, COLUMN, left=False)),
    (TypeError, "whole number as its power, got 0.5", lambda: dg.matrix_power(A, 0.5)),
    (RuntimeError, "two matrices or more, got 1", lambda: dg.linalg.multi_dot([A[0]])),
    (RuntimeError, r"got shapes \[\(2, 3, 3\), \(3,\)\]", lambda: dg.linalg.multi_dot([A, COLUMN])),
]


@pytest.mark.parametrize(("error", "message", "call"), REFUSED)
def test_refused(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=message):
        call()
