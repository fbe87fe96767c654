"""cublasLt by ctypes: how matrices are told to it, and its numbers beside its headers'."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.emulator import numpy_with_kernels
from helpers.fake_cublaslt import FakeCublasLt
from helpers.halves import NEEDS_BFLOAT16
from hypothesis import given
from hypothesis import strategies as st

from distgrad.backend import cublaslt
from distgrad.backend.dtypes import data_type
from distgrad.backend.kernels.cuda import products


def on_host(array: Any) -> Any:
    return cublaslt.ctypes.c_void_p(array.ctypes.data)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeCublasLt:
    library = FakeCublasLt()
    monkeypatch.setattr(products, "library", lambda: library)
    monkeypatch.setattr(products, "pointer", on_host)
    monkeypatch.setattr(cublaslt, "pointer", on_host)
    return library


def ordered(shape: tuple[int, ...], transposed: bool, cut: bool, seed: int) -> np.ndarray:
    """An array of a shape whose rows or columns lie side by side, alone or within longer ones."""
    *leading, rows, columns = shape
    inner = (columns, rows) if transposed else (rows, columns)
    whole = np.random.default_rng(seed).normal(size=(*leading, inner[0], inner[1] + 3 * cut))
    part = whole[..., : inner[1]]
    return part.swapaxes(-1, -2) if transposed else part


sizes = st.integers(1, 5)


@given(sizes, sizes, sizes, st.sampled_from([(), (3,), (2, 3)]), st.integers(0, 15), st.booleans())
def test_a_product_is_that_of_the_rows_and_columns(
    m: int, k: int, n: int, batch: Any, ways: int, shared: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in (
            (products, "library", FakeCublasLt),
            (products, "pointer", on_host),
            (cublaslt, "pointer", on_host),
        ):
            patch.setattr(module, name, value)
        a = ordered((*batch, m, k), bool(ways & 1), bool(ways & 2), 1)
        b = ordered((k, n) if shared else (*batch, k, n), bool(ways & 4), bool(ways & 8), 2)
        y = products.multiplied(XP, a, b)
    np.testing.assert_allclose(y, a @ b, rtol=1e-13)


XP = numpy_with_kernels()


@pytest.mark.parametrize(
    "dtype",
    ["float16", pytest.param("bfloat16", marks=NEEDS_BFLOAT16), "float32", "float64"],
)
@pytest.mark.parametrize("activation", ["", "relu", "gelu"])
def test_bias_and_activation_follow_the_product(
    fake: FakeCublasLt, activation: str, dtype: str
) -> None:
    generator = np.random.default_rng(0)
    kind = data_type(dtype)
    x, weight, bias = (generator.normal(size=s).astype(kind) for s in ((6, 4), (5, 4), (5,)))
    y = products.multiplied(numpy_with_kernels(), x, weight.T, bias, activation)
    plain = x.astype(float) @ weight.T.astype(float) + bias.astype(float)
    inner = np.sqrt(2 / np.pi) * (plain + 0.044715 * plain**3)
    gelu = 0.5 * plain * (1 + np.tanh(inner))
    wanted = {"": plain, "relu": np.maximum(plain, 0), "gelu": gelu}[activation]
    assert y.dtype == kind
    far = {"float16": 0.02, "bfloat16": 0.1}.get(dtype, 1e-5)
    np.testing.assert_allclose(y.astype(float), wanted, atol=far)


def test_a_batch_that_lies_unevenly_is_copied(fake: FakeCublasLt) -> None:
    rng = np.random.default_rng(0)
    b = rng.normal(size=(3, 2, 5, 6))
    inner, outer = rng.normal(size=(3, 1, 4, 5)), rng.normal(size=(1, 2, 4, 5))
    for a in (inner, outer, inner[:1], np.repeat(inner, 2, axis=1)[::-1, ::-1]):
        a = np.broadcast_to(a, (3, 2, 4, 5))
        np.testing.assert_allclose(products.matmul(numpy_with_kernels(), a, b), a @ b, rtol=1e-12)


def test_an_algorithm_is_chosen_once_for_products_of_one_kind(fake: FakeCublasLt) -> None:
    xp = numpy_with_kernels()
    a, b = np.ones((3, 4), np.float32), np.ones((4, 2), np.float32)
    for _ in range(3):
        products.matmul(xp, a, b)
    assert fake.chosen == 1
    products.matmul(xp, a, b[:, :1])
    assert fake.chosen == 2


def test_19_bits_are_for_those_who_ask(fake: FakeCublasLt, monkeypatch: pytest.MonkeyPatch) -> None:
    a = np.ones((2, 2), np.float32)
    xp = numpy_with_kernels()
    products.matmul(xp, a, a)
    monkeypatch.setenv("DISTGRAD_TF32", "1")
    products.matmul(xp, a, a)
    names = ("CUBLAS_COMPUTE_32F", "CUBLAS_COMPUTE_32F_FAST_TF32")
    assert fake.computed == [cublaslt.CONSTANTS[name] for name in names]


def test_an_address_that_is_no_multiple_of_16_is_copied(fake: FakeCublasLt) -> None:
    memory = np.arange(17, dtype=np.float32)
    offset = 1 if memory.ctypes.data % 16 == 0 else 0
    a = memory[offset : offset + 16].reshape(4, 4)
    np.testing.assert_array_equal(products.matmul(numpy_with_kernels(), a, a), a @ a)


def test_what_is_not_served_is_left_to_the_array_library(fake: FakeCublasLt) -> None:
    xp = numpy_with_kernels()
    whole, single = np.ones((2, 2), int), np.ones((2, 2), np.float32)
    assert products.matmul(xp, whole, whole) is NotImplemented
    assert products.matmul(xp, single[0], single) is NotImplemented
    many = np.ones((3, 1, 2, 2), np.float32)
    assert products.matmul(xp, many, np.ones((3, 2, 2, 2), np.float32)) is NotImplemented
    assert products.linear(xp, single[0], single, None) is NotImplemented


@pytest.mark.parametrize(
    ("left", "right", "output"),
    [("ij", "ij", "ij"), ("ii", "ij", "j"), ("ij", "jk", "k"), ("ij", "jk", "i")],
)
def test_sums_of_products_that_are_no_product_of_matrices_are_left(
    fake: FakeCublasLt, left: str, right: str, output: str
) -> None:
    square = np.ones((2, 2), np.float32)
    found = products.contraction(numpy_with_kernels(), square, square, left, right, output)
    assert found is NotImplemented


def test_an_axis_that_is_stretched_is_left(fake: FakeCublasLt) -> None:
    thin, wide = np.ones((2, 1), np.float32), np.ones((3, 2), np.float32)
    assert products.contraction(XP, thin, wide, "ij", "jk", "ik") is NotImplemented


def test_without_the_library_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "library", lambda: None)
    single = np.ones((2, 2), np.float32)
    assert products.matmul(numpy_with_kernels(), single, single) is NotImplemented


@pytest.mark.parametrize("status", [0, 15])
def test_a_product_without_an_algorithm_is_left_to_the_array_library(
    fake: FakeCublasLt, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(fake, "cublasLtMatmulAlgoGetHeuristic", lambda *_: status, raising=False)
    single = np.ones((2, 2), np.float32)
    xp = numpy_with_kernels()
    for _ in range(2):
        assert products.matmul(xp, single, single) is NotImplemented


def test_what_the_library_refuses_is_told(
    fake: FakeCublasLt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "cublasLtMatmulDescCreate", lambda *_: 15, raising=False)
    single = np.ones((2, 2), np.float32)
    with pytest.raises(RuntimeError, match="cublasLtMatmulDescCreate failed with status 15"):
        products.matmul(numpy_with_kernels(), single, single)


def _headers() -> str:
    try:
        import nvidia
    except ImportError:
        folders: list[Path] = []
    else:
        folders = [p / "include" for f in nvidia.__path__ for p in Path(f).iterdir()]
    folders.append(Path(os.environ.get("CUDA_PATH", "/usr/local/cuda")) / "include")
    names = ("cublasLt.h", "cublas_api.h", "library_types.h")
    return "\n".join(p.read_text() for f in folders for n in names if (p := f / n).exists())


@pytest.mark.parametrize("name", cublaslt.CONSTANTS)
def test_a_number_is_that_of_the_headers(name: str) -> None:
    found = re.search(rf"\b{name}\s*=\s*(\d+)", _headers())
    if not found:
        pytest.skip("no headers of cuBLAS here: pip install nvidia-cublas, or set CUDA_PATH")
    assert int(found[1]) == cublaslt.CONSTANTS[name]
