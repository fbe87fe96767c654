"""Products and matrices: against PyTorch."""

import numpy as np
import pytest
from helpers.parity import Call, check_gradients, check_refused, check_same, check_slopes

import distgrad as dg

torch = pytest.importorskip("torch")

CALLS: dict[str, Call] = {
    "matmul": lambda m, f, x, y: m.matmul(x, y) * (x @ y[0]),
    "mm": lambda m, f, x, y: m.mm(x[0], y[0]) * x[1].mm(y[1]),
    "bmm": lambda m, f, x, y: m.bmm(x, y) * x.bmm(y),
    "mv": lambda m, f, x, y: m.mv(x[0], y[0, :, 0]) * x[1].mv(y[1, :, 0]),
    "dot": lambda m, f, x, y: m.dot(x[0, 0], y[0, :, 0]) * x[1, 0].vdot(y[1, :, 0]),
    "outer": lambda m, f, x, y: m.outer(x[0, 0], y[0, 0]) * x[1, 1].ger(y[0, 1]),
    "inner": lambda m, f, x, y: m.inner(x, y.mT) * x[0, 0, 0].inner(y[0, 0, 0]),
    "kron": lambda m, f, x, y: m.kron(x[0], y) * x[0, :1].kron(y[0]).sum(),
    "cross": lambda m, f, x, y: m.cross(x, y[:, :, :3], dim=1) * m.linalg.cross(x, x.mT),
    "tensordot": lambda m, f, x, y: m.tensordot(x, y, ([0, 2], [0, 1])) * m.tensordot(x, x, 3),
    "addmm": lambda m, f, x, y: m.addmm(y[1], x[0], y[0], beta=2, alpha=0.5),
    "addmm stretched": lambda m, f, x, y: x[0, 0, 0].addmm(x[0], y[0], beta=0) + y[0],
    "addmv": lambda m, f, x, y: m.addmv(x[0, 0], x[0], x[1, 0], alpha=3),
    "addr": lambda m, f, x, y: m.addr(y[0], x[0, 0], y[1, 0], beta=0.5),
    "baddbmm": lambda m, f, x, y: m.baddbmm(y[0], x, y, beta=-1),
    "addbmm": lambda m, f, x, y: m.addbmm(y[0], x, y, alpha=2),
    "einsum of axes": lambda m, f, x, y: m.einsum(x, [0, 1, 2], y, [0, 2, 3], [3, 1]),
    "inv": lambda m, f, x, y: m.linalg.inv(x) * m.inverse(x[0]) * x.inverse(),
    "det": lambda m, f, x, y: m.linalg.det(x) * m.det(x[0]),
    "slogdet": lambda m, f, x, y: m.linalg.slogdet(x)[1] * m.slogdet(x)[0],
    "logdet": lambda m, f, x, y: m.logdet(x @ x.mT) * (x[0] @ x[0].mT).logdet(),
    "solve": lambda m, f, x, y: m.linalg.solve(x, y) * m.linalg.solve(x, y[:, :, 0]).sum(),
    "solve right": lambda m, f, x, y: m.linalg.solve(x, y.mT, left=False),
    "cholesky": lambda m, f, x, y: m.linalg.cholesky(x @ x.mT) * x,
    "cholesky upper": lambda m, f, x, y: m.linalg.cholesky(x @ x.mT, upper=True) * x,
    "matrix_power": lambda m, f, x, y: m.matrix_power(x, 3) + m.linalg.matrix_power(x, -2),
    "matrix_power 0": lambda m, f, x, y: x.matrix_power(0) * x.matrix_power(1),
    "multi_dot": lambda m, f, x, y: m.linalg.multi_dot([x[0, 0], x[1], y[0], y[1].mT]),
    "diagonal": lambda m, f, x, y: m.linalg.diagonal(y, offset=-1) * m.linalg.vecdot(x, x[0])[0, 0],
}


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name: str) -> None:
    generator = np.random.default_rng(len(name))
    x = generator.uniform(-1, 1, (2, 3, 3)) + 2 * np.eye(3)
    check_gradients([x, generator.uniform(-1, 1, (2, 3, 4))], CALLS[name])


@pytest.mark.parametrize("p", [0, 1.0, 1.5, 2.0, 3.0, np.inf])
def test_distances(p: float) -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 2, 3, 4))
    y[:, 0] = x[:, 1]  # no distance
    check_slopes([x, y], lambda m, f, x, y: m.cdist(x, y, p) ** 2)


@pytest.mark.parametrize("shape", [(0, 0), (0, 2, 2), (2, 0, 0)])
def test_nothing(shape: tuple[int, ...]) -> None:
    for call in (
        lambda m, x: m.linalg.inv(x),
        lambda m, x: m.linalg.det(x),
        lambda m, x: m.linalg.slogdet(x)[1],
        lambda m, x: m.linalg.cholesky(x),
        lambda m, x: m.linalg.solve(x, x),
        lambda m, x: m.matrix_power(x, 0),
        lambda m, x: m.matmul(x, x),
        lambda m, x: m.cdist(x, x),
        lambda m, x: m.kron(x, x),
    ):
        check_same(call(dg, dg.tensor(np.zeros(shape))), call(torch, torch.zeros(shape).double()))


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_data_types(dtype: str) -> None:
    x = np.array([[1, 2], [3, 5]]).astype(dtype)
    for call in (
        lambda m, x: m.mm(x, x),
        lambda m, x: m.dot(x[0], x[1]),
        lambda m, x: m.addmm(x, x, x, beta=2),
        lambda m, x: m.addmv(x[0], x, x[1]),
        lambda m, x: m.matrix_power(x, 3),
        lambda m, x: m.outer(x[0], m.tensor([0.5, 1])),
        lambda m, x: m.kron(x, m.tensor([True, False])),
        lambda m, x: m.addr(x, x[0], m.tensor([True, False])),
        lambda m, x: m.tensordot(x, x, 1),
        lambda m, x: m.einsum("ij,jk", x, x),
    ):
        check_same(call(dg, dg.tensor(x)), call(torch, torch.tensor(x)))


MATRIX = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
REFUSED: list[Call] = [
    lambda m, f, x: x @ x,
    lambda m, f, x: x @ x[0, 0],
    lambda m, f, x: x @ x.mT.float(),
    lambda m, f, x: m.mm(x, x[0]),
    lambda m, f, x: m.mm(x > 0, x.mT > 0),
    lambda m, f, x: m.bmm(x[None], m.stack([x.mT, x.mT])),
    lambda m, f, x: m.dot(x[0], x[0, :2]),
    lambda m, f, x: m.inner(x, x.mT),
    lambda m, f, x: m.outer(x, x),
    lambda m, f, x: m.linalg.cross(x, x[0]),
    lambda m, f, x: m.linalg.cross(x.mT, x.mT),
    lambda m, f, x: m.tensordot(x, x, ([0], [1])),
    lambda m, f, x: m.tensordot(x, x.float(), 2),
    lambda m, f, x: m.einsum("ij,ij", x, x.long()),
    lambda m, f, x: m.addmm(x, x, x),
    lambda m, f, x: m.addmm(x, x, x.mT.float()),
    lambda m, f, x: m.cdist(x, x.mT),
    lambda m, f, x: m.cdist(x.long(), x.long()),
    lambda m, f, x: m.linalg.inv(x),
    lambda m, f, x: m.linalg.inv(x[:, :2] * 0),
    lambda m, f, x: m.linalg.det(x[:, :2].long()),
    lambda m, f, x: m.linalg.solve(x[:, :2], x.mT),
    lambda m, f, x: m.linalg.cholesky(-x[:, :2]),
    lambda m, f, x: m.linalg.matrix_power(x, 2),
    lambda m, f, x: m.linalg.multi_dot([x]),
]


@pytest.mark.parametrize("call", REFUSED)
def test_refused_by_both(call: Call) -> None:
    check_refused(call, MATRIX)
