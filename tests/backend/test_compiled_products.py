"""Compiled matrix products: values, layouts, order of sums, and what they leave to BLAS."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.recorded_passes import check
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad import nn
from distgrad.backend.kernels import use, use_kernels
from distgrad.nn import functional as F

pytest.importorskip("numba")

from distgrad.backend.kernels.compiled import products, tile
from distgrad.backend.kernels.compiled.arguments import in_place, together

pytestmark = pytest.mark.skipif(not tile.SERVED, reason="the processor has no AVX-512")

SIDES = st.one_of(st.integers(1, 20), st.integers(60, 70), st.integers(125, 135))
TERMS = st.one_of(st.integers(1, 20), st.integers(250, 262), st.integers(500, 530))
SEED = st.integers(0, 1000)


def whole(generator: np.random.Generator, *shape: int) -> np.ndarray:
    """Whole numbers, of which sums of products are exact in any order."""
    return generator.integers(-8, 9, shape).astype(np.float32)


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def laid_out(x: np.ndarray, layout: str) -> np.ndarray:
    """The same matrix, its elements elsewhere."""
    if layout == "columns":
        return np.asfortranarray(x)
    if layout == "strided":
        room = np.full((2 * x.shape[0], 3 * x.shape[1]), np.nan, np.float32)
        room[::2, ::3] = x
        return room[::2, ::3]
    if layout == "backwards":
        return x[::-1, ::-1].copy()[::-1, ::-1]
    if layout == "unaligned":
        room = np.empty(x.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(x.shape)
        room[...] = x
        return room
    x = x.copy()
    x.flags.writeable = layout != "read-only"
    return x


LAYOUTS = "rows", "columns", "strided", "backwards", "unaligned", "read-only"


@given(SIDES, TERMS, SIDES, st.sampled_from(LAYOUTS), st.sampled_from(LAYOUTS), SEED)
def test_values_of_all_shapes_and_layouts(
    rows: int, terms: int, columns: int, of_a: str, of_b: str, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    a, b, bias = (whole(generator, *s) for s in [(rows, terms), (terms, columns), (columns,)])
    found = products.multiplied(laid_out(a, of_a), laid_out(b, of_b), bias)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, a @ b + bias)


@given(SIDES, TERMS, SIDES, st.data())
def test_the_bits_of_a_row_depend_on_nothing_but_the_row(
    rows: int, terms: int, columns: int, data: st.DataObject
) -> None:
    a, b, bias = values(rows, terms), values(terms, columns), values(columns)
    expected = products.multiplied(a, b, bias)
    first = data.draw(st.integers(0, rows - 1))
    end = data.draw(st.integers(first + 1, rows))
    layouts = st.sampled_from(LAYOUTS)
    part, right = laid_out(a[first:end], data.draw(layouts)), laid_out(b, data.draw(layouts))
    np.testing.assert_array_equal(products.multiplied(part, right, bias), expected[first:end])


def test_terms_are_added_in_runs_each_product_unrounded() -> None:
    a, b, bias = values(3, 600), values(600, 70), values(70)
    expected = np.zeros((3, 70), np.float32)
    for run in (slice(0, 256), slice(256, 512), slice(512, 600)):
        total = np.zeros((3, 70), np.float32)
        for p in range(*run.indices(600)):
            wide = np.multiply.outer(a[:, p].astype(np.longdouble), b[p].astype(np.longdouble))
            total = (total + wide).astype(np.float32)
        expected = expected + total
    np.testing.assert_array_equal(products.multiplied(a, b, bias), expected + bias)


def test_values_near_those_of_float64() -> None:
    a, b = values(64, 1024), values(1024, 1024, seed=1)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    error = np.abs(products.multiplied(a, b, products.NO_BIAS) - exact).max()
    assert error < 2 * np.abs(a @ b - exact).max()


def test_numbers_that_are_none_and_tiny_ones() -> None:
    a, b = values(70, 300), values(300, 70)
    a[0, 5], a[1, 290], b[3, 69], a[65, 17] = np.nan, np.inf, -np.inf, np.inf
    a[40:50] *= np.float32(1e-42)
    b[7] = 0
    with np.errstate(invalid="ignore"):
        expected = a.astype(np.float64) @ b.astype(np.float64)
    for left, right in ((a, b), (a, np.asfortranarray(b))):
        found = products.multiplied(left, right, products.NO_BIAS)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
        assert np.abs(found[41, :69]).max() > 0


# What the column serves.


@pytest.fixture
def in_use() -> Iterator[dict[str, Any]]:
    """Have the column in use, and at hand."""
    use_kernels("numba")
    column = use(np, {})
    use(np, column)
    yield dict(column)
    use_kernels("numpy")


X, WEIGHT, BIAS = values(64, 200), values(96, 200), values(96)


def test_linear_and_its_gradients(in_use: dict[str, Any]) -> None:
    assert {"linear", "matmul", "product"} <= set(in_use)
    x = values(2, 32, 200)
    found = in_use["linear"](np, x, WEIGHT, BIAS)
    assert found.shape == (2, 32, 96)
    np.testing.assert_allclose(found, x @ WEIGHT.T + BIAS, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        in_use["linear"](np, X, WEIGHT, None), X @ WEIGHT.T, rtol=1e-4, atol=1e-4
    )
    with_gaps = in_use["linear"](np, X, WEIGHT, np.repeat(BIAS, 2)[::2])
    np.testing.assert_array_equal(with_gaps, in_use["linear"](np, X, WEIGHT, BIAS))
    g = values(64, 96)
    np.testing.assert_allclose(in_use["product"](np, g, WEIGHT), g @ WEIGHT, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(in_use["product"](np, g.T, X), g.T @ X, rtol=1e-4, atol=1e-4)


def test_arrays_whose_data_type_is_another_object(in_use: dict[str, Any]) -> None:
    given = pickle.loads(pickle.dumps((X, WEIGHT, BIAS)))
    assert all(x.dtype is not X.dtype for x in given)
    found = in_use["linear"](np, *given)
    np.testing.assert_array_equal(found, in_use["linear"](np, X, WEIGHT, BIAS))
    assert together(*given) is not None
    assert in_place(*given)


def double(*arrays: np.ndarray) -> list[np.ndarray]:
    return [x.astype(np.float64) for x in arrays]


@pytest.mark.parametrize(
    ("x", "weight", "bias"),
    [
        pytest.param(*double(X, WEIGHT, BIAS), id="float64"),
        pytest.param(X, *double(WEIGHT, BIAS), id="a weight in float64"),
        pytest.param(X, WEIGHT, *double(BIAS), id="a bias in float64"),
        pytest.param(X[0], WEIGHT, BIAS, id="a vector"),
        pytest.param(X[:15], WEIGHT, BIAS, id="fewer rows than lanes"),
        pytest.param(X, WEIGHT[:15], BIAS[:15], id="fewer columns than lanes"),
        pytest.param(X[:, :50], WEIGHT[:, :50], BIAS, id="few terms in all"),
        pytest.param(X[:0], WEIGHT, BIAS, id="no rows"),
        pytest.param(X[:, :0], WEIGHT[:, :0], BIAS, id="no terms"),
        pytest.param(X, WEIGHT[:0], BIAS[:0], id="no columns"),
        pytest.param(X.view(np.matrix), WEIGHT, BIAS, id="a subclass"),
    ],
)
def test_what_is_left_to_blas(
    in_use: dict[str, Any], x: np.ndarray, weight: np.ndarray, bias: np.ndarray
) -> None:
    assert in_use["linear"](np, x, weight, bias) is NotImplemented


def test_products_that_are_left_to_blas(in_use: dict[str, Any]) -> None:
    long = np.zeros((520, 520), np.float32)
    assert in_use["product"](np, long, long) is NotImplemented
    assert in_use["product"](np, *double(X, WEIGHT.T)) is NotImplemented


def test_sizes_that_do_not_fit_are_left_to_the_reference_s_error(in_use: dict[str, Any]) -> None:
    assert in_use["linear"](np, X, values(96, 201), None) is NotImplemented
    assert in_use["linear"](np, X, WEIGHT, values(95)) is NotImplemented
    assert in_use["linear"](np, X, WEIGHT, values(0)) is NotImplemented
    assert in_use["linear"](np, X, WEIGHT[0], None) is NotImplemented
    assert in_use["product"](np, X, values(201, 96)) is NotImplemented
    assert in_use["product"](np, X, WEIGHT[0]) is NotImplemented
    with pytest.raises(ValueError, match="length 201"):
        F.linear(dg.tensor(X), dg.tensor(values(96, 201)))


def gradients(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
    """First and second derivatives of a function of a linear map."""
    inputs = [dg.tensor(a, requires_grad=True) for a in (x, weight, bias)]
    y = F.linear(*inputs)
    first = dg.autograd.grad((y * y * y).sum(), inputs, create_graph=True)
    second = dg.autograd.grad(sum((g * g).sum() for g in first), inputs)
    return [y.detach().numpy(), *(g.detach().numpy() for g in first), *(g.numpy() for g in second)]


def test_first_and_second_derivatives() -> None:
    scaled = [np.float32(0.1) * a for a in (X, WEIGHT, BIAS)]
    expected = gradients(*double(*scaled))
    use_kernels("numba")
    try:
        found = gradients(*scaled)
    finally:
        use_kernels("numpy")
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * np.abs(b).max())


@pytest.mark.usefixtures("in_use")
def test_a_replayed_micro_batch_writes_gradients_of_weights_in_their_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = nn.Sequential(nn.Linear(200, 96), nn.ReLU(), nn.Linear(96, 128))
    places = []

    def multiplied(a: Any, b: Any, bias: Any, into: Any = None) -> Any:
        places.append(into)
        return original(a, b, bias, into)

    original = products.multiplied
    monkeypatch.setattr(products, "multiplied", multiplied)
    check(
        lambda x: (module(x) ** 2).sum(),
        lambda rng: [rng.standard_normal((128, 200)).astype(np.float32)],
        list(module.parameters()),
    )
    shapes = {place.shape for place in places if place is not None}
    assert shapes == {(96, 200), (128, 96)}


def test_a_processor_without_the_registers_is_left_to_blas(tmp_path: Path) -> None:
    code = (
        "from distgrad.backend.kernels.compiled import compiling, products\n"
        "assert products.COLUMN == {}\n"
        "assert products._multiply not in compiling._all\n"
    )
    settings = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"}
    environment = {**os.environ, **settings, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
