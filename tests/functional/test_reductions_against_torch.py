"""Reductions, scans and norms: against PyTorch."""

from typing import Any

import numpy as np
import pytest
from helpers.parity import Call, check_gradients, check_refused, check_same, check_slopes

import distgrad as dg

torch = pytest.importorskip("torch")

INF, NAN = np.inf, np.nan

OVER_DIMS = "sum mean amax amin var std nansum nanmean".split()  # noqa: SIM905
DIMS: list[Any] = [None, 0, -1, (0, 2), [1, -1], (), []]


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("name", OVER_DIMS)
def test_over_dims(name: str, dim: Any, keepdim: bool) -> None:
    if name in ("var", "std") and dim is not None and dim in ((), []):
        return  # there PyTorch takes each gradient over one element, and gets infinities
    x = np.random.default_rng(0).standard_normal((2, 3, 4))

    def call(m: Any, f: Any, x: Any) -> Any:
        if dim is None and name.startswith("am"):
            return getattr(m, name)(x)
        return getattr(m, name)(x, dim=dim, keepdim=keepdim)

    check_gradients([x], call)
    check_gradients([x], lambda m, f, x: getattr(x, name)(dim=dim or 0))


CALLS: dict[str, Call] = {
    "sum dtype": lambda m, f, x: x.sum(0, dtype=m.float32).double() * x,
    "prod": lambda m, f, x: m.prod(x),
    "prod of dim": lambda m, f, x: m.prod(x, -1, keepdim=True),
    "x.prod": lambda m, f, x: x.prod(1),
    "var unbiased": lambda m, f, x: m.var(x, 0, unbiased=False) * m.var(x, True),
    "std unbiased": lambda m, f, x: x.std(False) * x.std(1, False, True),
    "var of population": lambda m, f, x: x.var(1, correction=0) + x.var(0, correction=0.5).sum(),
    "var_mean": lambda m, f, x: m.var_mean(x, 1)[0] * m.var_mean(x, (0, 1))[1],
    "std_mean": lambda m, f, x: m.std_mean(x, 1, correction=0)[0] * m.std_mean(x, True)[1],
    "median": lambda m, f, x: m.median(x) * x,
    "median of dim": lambda m, f, x: m.median(x, 1, True)[0] * x.median(0).values,
    "max": lambda m, f, x: x.max() * m.max(x, 1).values.sum() * x.max(0, keepdim=True)[0],
    "cumsum": lambda m, f, x: m.cumsum(x, 0) * x.cumsum(-1),
    "cumprod": lambda m, f, x: m.cumprod(x, 0) * x.cumprod(dim=1),
    "cummax": lambda m, f, x: m.cummax(x, 0)[0] * x.cummax(1).values,
    "cummin": lambda m, f, x: m.cummin(x, 0)[0] * x.cummin(-1).values,
    "logcumsumexp": lambda m, f, x: m.logcumsumexp(x, 0) * x.logcumsumexp(1),
    "trace": lambda m, f, x: m.trace(x) * x[:, :2].trace(),
    "softmax dtype": lambda m, f, x: m.softmax(x, 1, dtype=m.float64) * x,
    "log_softmax": lambda m, f, x: m.log_softmax(x, 0) * x.log_softmax(1),
    "norm": lambda m, f, x: m.norm(x) * x.norm() * x.norm(3.5, 0).sum() * m.norm(x, p=1, dim=1),
    "norm fro": lambda m, f, x: m.norm(x, "fro", (0, 1), keepdim=True) * x.norm(p="fro"),
    "norm nuc": lambda m, f, x: m.norm(x, "nuc") * x.norm("nuc", (1, 0)),
    "norm inf": lambda m, f, x: m.norm(x, INF, 0) * x.norm(-INF, 0),
    "norm 0": lambda m, f, x: x.norm(0) * x.norm(0.5, 1),
    "vector_norm": lambda m, f, x: m.linalg.vector_norm(x, 3, 1) * m.linalg.vector_norm(x, -2),
    "vector_norm inf": lambda m, f, x: m.linalg.vector_norm(x, INF) * m.linalg.vector_norm(x, -INF),
    "matrix_norm": lambda m, f, x: m.linalg.matrix_norm(x) * x,
    "linalg.norm": lambda m, f, x: m.linalg.norm(x) * m.linalg.norm(x, 1) * m.linalg.norm(x, -INF),
    "linalg.norm of dims": lambda m, f, x: m.linalg.norm(x[None], 2, (-2, -1), True) * x.sum(),
    "linalg.norm smallest": lambda m, f, x: m.linalg.norm(x, -2) * m.linalg.norm(x, 1, 0),
    "linalg.norm wide": lambda m, f, x: m.linalg.norm(x[:, :2], "nuc") * m.linalg.norm(x[:2], 2),
}


@pytest.mark.parametrize("name", CALLS)
def test_arguments(name: str) -> None:
    x = np.random.default_rng(len(name)).standard_normal((3, 4))
    call = CALLS[name]
    if "nuc" in name or "linalg" in name:  # gaps between singular values cost digits
        x = np.linalg.qr(x.T)[0].T * [[1.0], [2.0], [4.0]]
    check_gradients([x], call)


@pytest.mark.parametrize("places", [[0], [1, 3], [0, 1, 2, 3]])
@pytest.mark.parametrize("name", ["prod", "cumprod"])
def test_products_with_zeros(name: str, places: list[int]) -> None:
    x = np.array([2.0, -1.0, 3.0, 0.5])
    x[places] = 0
    check_gradients([x], lambda m, f, x: getattr(m, name)(x, 0) + x)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "logcumsumexp", "cummax", "median", "prod"])
def test_without_axes(name: str) -> None:
    def call(m: Any, f: Any, x: Any) -> Any:
        result = getattr(m, name)(x, -1)
        return result if hasattr(result, "dtype") else result[0]

    check_gradients([np.array(2.0)], call)


EDGES = [
    [INF, 1.0, -INF],
    [-INF, -INF, -INF],
    [NAN, 1.0, 2.0],
    [1.0, 1.0, 1.0],
    [0.0, 0.0, -0.0],
    [1000.0, -1000.0, 1000.0],
]


@pytest.mark.parametrize("values", EDGES)
@pytest.mark.parametrize(
    "name", ["cumsum", "nansum", "nanmean", "cummax", "cummin", "median", "sum", "amax", "var"]
)
def test_values_at_edges(name: str, values: list[float]) -> None:
    x = np.array(values)

    def call(m: Any) -> Any:
        result = getattr(m, name)(m.tensor(x), 0)
        return result if hasattr(result, "dtype") else result[0]

    check_same(call(dg), call(torch))


@pytest.mark.parametrize("name", ["max", "min", "median"])
@pytest.mark.parametrize("values", [[1.0, NAN, 2.0, NAN], [1.0, 2.0, 2.0, 1.0, 1.0], [INF, -INF]])
def test_slopes_of_one_among_all(name: str, values: list[float]) -> None:
    check_slopes([np.array(values)], lambda m, f, x: getattr(m, name)(x))


@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, INF, -INF])
@pytest.mark.parametrize("values", [[0.0, 0.0], [0.0, 2.0], [-3.0, 3.0]])
def test_slopes_of_norms(p: float, values: list[float]) -> None:
    check_slopes([np.array(values)], lambda m, f, x: m.norm(x, p))


@pytest.mark.parametrize("name", ["cummax", "cummin", "median", "max", "min"])
def test_places(name: str) -> None:
    x = np.random.default_rng(0).permutation(np.arange(24.0)).reshape(2, 3, 4)
    for dim in (0, 1, -1):
        for mine, other in zip(
            getattr(dg, name)(dg.tensor(x), dim),
            getattr(torch, name)(torch.tensor(x), dim),
            strict=True,
        ):
            check_same(mine, other)


def test_places_of_equals() -> None:
    x = np.array([1.0, 3.0, 3.0, NAN, 2.0, NAN])
    for name in ("cummax", "cummin"):
        mine, other = (getattr(m, name)(m.tensor(x), 0).indices for m in (dg, torch))
        check_same(mine, other)


TYPES = ("float32", "float64", "int32", "int64", "bool")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    "name",
    "sum prod cumsum cumprod nansum all any amax amin argmax max median cummax logsumexp".split(),  # noqa: SIM905
)
def test_types(name: str, dtype: str) -> None:
    if dtype == "bool" and name in ("argmax", "median"):
        return  # PyTorch has none
    x = np.array([[0, 2], [1, 1]]).astype(dtype)
    mine, other = (getattr(m, name)(m.tensor(x), 1) for m in (dg, torch))
    if isinstance(mine, tuple):
        mine, other = mine[0], other[0]
    check_same(mine, other)


@pytest.mark.parametrize("name", ["sum", "prod", "cumsum", "cumprod"])
def test_type_by_argument(name: str) -> None:
    x = np.array([1, 2, 3], np.int32)
    for dtype in ("int32", "float32", "float64"):
        mine, other = (
            getattr(m, name)(m.tensor(x), 0, dtype=getattr(m, dtype)) for m in (dg, torch)
        )
        check_same(mine, other)


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
@pytest.mark.parametrize("name", ["sum", "prod", "nansum", "all", "any", "cumsum", "cumprod"])
def test_of_nothing(name: str, shape: tuple[int, ...]) -> None:
    for dim in range(len(shape)):
        mine, other = (getattr(m, name)(m.zeros(shape), dim) for m in (dg, torch))
        check_same(mine, other)


VECTOR, MATRIX, NOTHING = np.ones(2), np.ones((2, 3)), np.ones((2, 0))


@pytest.mark.parametrize(
    ("call", "x"),
    [
        (lambda m, f, x: m.sum(x, 2), MATRIX),
        (lambda m, f, x: m.sum(x, (0, -2)), MATRIX),
        (lambda m, f, x: m.cumsum(x, 1), VECTOR),
        (lambda m, f, x: m.prod(x, (0, 1)), MATRIX),
        (lambda m, f, x: m.max(x, 1), NOTHING),
        (lambda m, f, x: m.max(x), NOTHING),
        (lambda m, f, x: m.amax(x, 1), NOTHING),
        (lambda m, f, x: m.argmax(x, 1), NOTHING),
        (lambda m, f, x: m.median(x, 1), NOTHING),
        (lambda m, f, x: m.trace(x), VECTOR),
        (lambda m, f, x: m.mean(x.long()), VECTOR),
        (lambda m, f, x: m.std(x.long()), VECTOR),
        (lambda m, f, x: m.norm(x.long()), VECTOR),
        (lambda m, f, x: m.argmax(x > 0), VECTOR),
        (lambda m, f, x: m.logcumsumexp(x.long(), 0), VECTOR),
        (lambda m, f, x: m.var(x, unbiased=True, correction=0), VECTOR),
        (lambda m, f, x: m.linalg.norm(x, "nuc"), VECTOR),
        (lambda m, f, x: m.linalg.norm(x, 3), MATRIX),
        (lambda m, f, x: m.linalg.norm(x[None], 2), MATRIX),
        (lambda m, f, x: m.linalg.matrix_norm(x), VECTOR),
        (lambda m, f, x: m.linalg.vector_norm(x, INF, 1), NOTHING),
    ],
)
def test_refused_by_both(call: Call, x: Any) -> None:
    check_refused(call, x)
