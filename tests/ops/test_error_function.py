"""The error function to rounding, over the whole line."""

import math

import numpy as np
import pytest
import scipy.special

from distgrad import ops

LINE = np.concatenate(
    [
        np.linspace(-7, 7, 100_001),
        0.46875 + np.linspace(-1e-12, 1e-12, 101),
        np.geomspace(1e-307, 1, 1001),
    ]
)


def erf(x: np.ndarray) -> np.ndarray:
    return ops.erf.forward(np, x)


def test_float64() -> None:
    np.testing.assert_allclose(erf(LINE), scipy.special.erf(LINE), rtol=1e-15, atol=0)
    assert np.abs(erf(LINE)).max() == 1


def test_float32() -> None:
    x = LINE[np.abs(LINE) > 1e-35].astype(np.float32)
    exact = scipy.special.erf(x.astype(np.float64))
    assert erf(x).dtype == np.float32
    np.testing.assert_allclose(erf(x), exact, rtol=3e-7, atol=0)
    assert np.abs(erf(x)).max() == 1


def test_float16() -> None:
    x = np.linspace(-5, 5, 101).astype(np.float16)
    assert erf(x).dtype == np.float16
    np.testing.assert_allclose(erf(x), scipy.special.erf(x.astype(np.float64)), atol=2e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_edges(dtype) -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30], dtype)
    expected = np.array([0.0, -0.0, 1, -1, np.nan, 1, -1])
    np.testing.assert_array_equal(erf(x), expected)
    np.testing.assert_array_equal(np.signbit(erf(x)), np.signbit(expected))


def test_against_the_c_library() -> None:
    for x in np.random.default_rng(0).standard_normal(1000):
        assert erf(np.array(x)) == pytest.approx(math.erf(x), rel=1e-15)


def test_against_pytorch() -> None:
    torch = pytest.importorskip("torch")
    np.testing.assert_allclose(erf(LINE), torch.erf(torch.tensor(LINE)), rtol=1e-15, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_order_is_kept(dtype) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(dtype).transpose(0, 3, 1, 2)
    assert erf(x).strides == x.strides
    np.testing.assert_array_equal(erf(x), erf(x.copy()))
