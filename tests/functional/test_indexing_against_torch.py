"""Reading and writing at given places, orders, diagonals: against PyTorch."""

from typing import Any

import numpy as np
import pytest
from helpers.parity import Call, check_gradients, check_refused, check_same

import distgrad as dg

torch = pytest.importorskip("torch")

PLACES = np.random.default_rng(1).integers(0, 3, (2, 3, 4))
ONCE = [[2, 0, 1, 1], [0, 1, 2, 0], [1, 2, 0, 2]]  # each of a column's places once

CALLS: dict[str, Call] = {
    "gather": lambda m, f, x: m.gather(x, 1, m.tensor(PLACES)) * x.gather(-2, m.tensor(PLACES)),
    "take_along_dim": lambda m, f, x: m.take_along_dim(x, m.tensor([[[0], [1], [2]]]), 2),
    "take": lambda m, f, x: m.take(x, m.tensor([[0, -1], [5, 5]])),
    "index_select": lambda m, f, x: m.index_select(x, 1, m.tensor([2, 2, 0])) * x,
    "masked_select": lambda m, f, x: m.masked_select(x, m.tensor([True, False, True, True])),
    "masked_fill": lambda m, f, x: m.masked_fill(x, x > 0, 2) * x,
    "scatter": lambda m, f, x: m.scatter(x, 1, m.tensor([ONCE, ONCE]), x * x),
    "scatter value": lambda m, f, x: x.scatter(1, m.tensor(PLACES), 2.5) * x,
    "scatter_add": lambda m, f, x: m.scatter_add(x[:, :2], 2, m.tensor(PLACES)[:, :2, :], x[:, 1:]),
    "index_add": lambda m, f, x: m.index_add(x, 2, m.tensor([1, 1, 3, 0]), x * x, alpha=0.5),
    "index_copy": lambda m, f, x: m.index_copy(x, 1, m.tensor([2, 0]), x[:, :2] ** 2),
    "index_fill": lambda m, f, x: m.index_fill(x, 1, m.tensor([2, 2]), 3) * x,
    "index_fill 0-d": lambda m, f, x: x.index_fill(0, m.tensor([1, 1]), x[0, 0, 0] * 2),
    "index_put": lambda m, f, x: m.index_put(x, (m.tensor([0, 1]), m.tensor([2, 2])), x[0, :2]),
    "index_put adding": lambda m, f, x: x.index_put((m.tensor([0, 0]),), x * x, accumulate=True),
    "index_put mask": lambda m, f, x: x.index_put((x > 0,), x[0, 0, 0] * 2),
    "put": lambda m, f, x: m.put(x, m.tensor([3, -1]), x[0, 0, :2]),
    "masked_scatter": lambda m, f, x: m.masked_scatter(x, m.tensor([True, False] * 2), x * x),
    "sort": lambda m, f, x: m.sort(x, 1)[0] * x.sort(dim=0, descending=True).values,
    "msort": lambda m, f, x: m.msort(x) * x,
    "topk": lambda m, f, x: m.topk(x, 2, 1)[0] * x.topk(2, 1, largest=False).values,
    "kthvalue": lambda m, f, x: m.kthvalue(x, 2, 1)[0] * x.kthvalue(1, 0, True).values[:, 0],
    "tril": lambda m, f, x: m.tril(x, 1) + x.triu(-1) * x,
    "diagonal": lambda m, f, x: m.diagonal(x, 1, 0, 2) * x.diagonal(-1, 2, 1).sum(),
    "diag": lambda m, f, x: m.diag(x[0], 1) * m.diag(x[1, 0], -1)[1:4, 0],
    "diag_embed": lambda m, f, x: m.diag_embed(x, 1, 0, 2),
    "diagflat": lambda m, f, x: m.diagflat(x[0], -1),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name: str) -> None:
    x = np.random.default_rng(len(name)).standard_normal((2, 3, 4))
    check_gradients([x], CALLS[name])


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "mean", "prod", "amax", "amin"])
def test_scatter_reduce(reduce: str, include_self: bool) -> None:
    def call(m: Any, f: Any, x: Any, y: Any) -> Any:
        index = m.tensor(PLACES)
        return m.scatter_reduce(x, 1, index, y, reduce, include_self=include_self)

    x, y = np.random.default_rng(3).standard_normal((2, 2, 3, 4))
    check_gradients([x, y], call)
    ties = np.round(x), np.round(y)
    if reduce.startswith("am") and include_self:  # else PyTorch shares with what is left out
        check_gradients(ties, call)
    for dtype in ("float32", "int64", "int32"):
        mine, other = (
            call(m, None, *(m.tensor((v * 3).astype(dtype)) for v in (x, y))) for m in (dg, torch)
        )
        check_same(mine, other)


EDGES = [[np.nan, 1.0, np.inf, -np.inf, np.nan, 0.0], [2.0, 1.0, 3.0, -0.5, 7.0, 0.25]]


@pytest.mark.parametrize("values", EDGES)
@pytest.mark.parametrize("descending", [False, True])
def test_order(values: list[float], descending: bool) -> None:
    mine, other = (
        m.sort(m.tensor(values), descending=descending, stable=True) for m in (dg, torch)
    )
    check_same(mine.values, other.values)
    check_same(mine.indices, other.indices)
    for k in (0, 1, 4, 6):
        mine, other = (m.topk(m.tensor(values), k, largest=descending) for m in (dg, torch))
        check_same(mine.values, other.values)
    for k in (1, 3, 6):
        mine, other = (m.kthvalue(m.tensor(values), k) for m in (dg, torch))
        check_same(mine.values, other.values)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
def test_data_types(dtype: str) -> None:
    x = np.array([[0, 1, 2], [3, 0, 1]]).astype(dtype)
    for call in (
        lambda m, x: m.gather(x, 1, m.tensor([[0, 1], [2, 2]])),
        lambda m, x: m.scatter(x, 1, m.tensor([[0], [1]]), 1),
        lambda m, x: m.scatter_reduce(x, 1, m.tensor([[0], [1]]), x, "amax"),
        lambda m, x: m.index_fill(x, 0, m.tensor([0]), 1),
        lambda m, x: m.index_copy(x, 0, m.tensor([0]), x[1:]),
        lambda m, x: m.sort(x, stable=True).values,
        lambda m, x: m.sort(x, stable=True).indices,
        lambda m, x: m.triu(x),
        lambda m, x: m.diag(x),
        lambda m, x: m.diag_embed(x),
        lambda m, x: m.masked_select(x, x > 0),
    ):
        check_same(call(dg, dg.tensor(x)), call(torch, torch.tensor(x)))


MATRIX, WHOLE = np.ones((2, 3)), np.array([[0, 1]])
REFUSED: list[tuple[Call, Any]] = [
    (lambda m, f, x: m.gather(x, 0, m.tensor([0])), MATRIX),
    (lambda m, f, x: m.gather(x, 0, m.tensor([[2]])), MATRIX),
    (lambda m, f, x: m.gather(x, 0, m.tensor([[-1]])), MATRIX),
    (lambda m, f, x: m.gather(x, 0, m.tensor([[0.0]])), MATRIX),
    (lambda m, f, x: m.gather(x, 1, m.tensor([[0], [0], [0]])), MATRIX),
    (lambda m, f, x: m.scatter(x, 0, m.tensor([[2]]), 1.0), MATRIX),
    (lambda m, f, x: m.scatter(x, 0, m.tensor([[0]]), m.tensor([1.0])), MATRIX),
    (lambda m, f, x: m.scatter(x, 0, m.tensor([[0]]), m.tensor([[1]])), MATRIX),
    (lambda m, f, x: m.index_select(x, 0, m.tensor([2])), MATRIX),
    (lambda m, f, x: m.index_select(x, 0, m.tensor([[0]])), MATRIX),
    (lambda m, f, x: m.index_add(x, 0, m.tensor([0]), x), MATRIX),
    (lambda m, f, x: m.index_add(x, 0, m.tensor([0, 2]), x), MATRIX),
    (lambda m, f, x: m.index_copy(x, 0, m.tensor([0, 0]), x[0]), MATRIX),
    (lambda m, f, x: m.index_fill(x, 0, m.tensor([0]), m.tensor([1.0])), MATRIX),
    (lambda m, f, x: m.index_put(x, (m.tensor([2]),), x[0]), MATRIX),
    (lambda m, f, x: m.index_put(x, (m.tensor([0]),), m.tensor(1)), MATRIX),
    (lambda m, f, x: m.take(x, m.tensor([6])), MATRIX),
    (lambda m, f, x: m.masked_select(x, m.tensor([0, 1, 0])), MATRIX),
    (lambda m, f, x: m.masked_scatter(x, x > 0, x[0]), MATRIX),
    (lambda m, f, x: m.topk(x, 4), MATRIX),
    (lambda m, f, x: m.kthvalue(x, 0), MATRIX),
    (lambda m, f, x: m.tril(x[0]), MATRIX),
    (lambda m, f, x: m.diag(x[None]), MATRIX),
    (lambda m, f, x: m.diagonal(x, 0, 1, 1), MATRIX),
    (lambda m, f, x: m.diag_embed(x, 0, 1, 1), MATRIX),
    (lambda m, f, x: x[2], MATRIX),
    (lambda m, f, x: x[0, 0, 0], MATRIX),
    (lambda m, f, x: x[m.tensor([True, False, True])], MATRIX),
    (lambda m, f, x: x[m.tensor([0, 5])], WHOLE),
]


@pytest.mark.parametrize(("call", "x"), REFUSED)
def test_refused_by_both(call: Call, x: Any) -> None:
    check_refused(call, x)
