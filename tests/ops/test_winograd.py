"""Winograd's convolution beside the sum of all products: values, blocks, and where it is used."""

from typing import Any

import numpy as np
import pytest
from helpers import sliding
from helpers.strict_device import strict_device
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from distgrad import ops
from distgrad.backend import array_namespace, to_device, to_host
from distgrad.ops import winograd
from distgrad.ops.window import Window

# The references, whatever kernels are in use.
conv2d = ops.conv2d.forward.reference
conv2d_weight = ops.conv2d_weight.forward.reference
conv_transpose2d = ops.conv_transpose2d.forward.reference


def float32(rng: np.random.Generator, *shape: int) -> Any:
    return rng.standard_normal(shape, np.float32)


@st.composite
def problems(draw: Any) -> tuple[Any, Any, Any, Any, Window, int]:
    """(x, weight, bias, gradient of the output, window, groups)."""
    pairs = st.tuples(st.just(1), st.integers(1, 2))
    size = draw(st.tuples(st.integers(4, 9), st.integers(1, 7)))
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 2)))
    kernel = 3, draw(st.integers(1, 3))
    window = sliding.window(size, kernel, draw(pairs), draw(pairs), padding)
    assume(window.output[0] > 3)
    assume(window.output[1] > 0)
    groups, count = draw(st.integers(1, 2)), draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    depth, outputs = 96 // kernel[1], groups * 32
    x, weight = float32(rng, count, groups * depth, *size), float32(rng, outputs, depth, *kernel)
    above = float32(rng, count, outputs, *window.output)
    return x, weight, float32(rng, outputs), above, window, groups


def assert_near(found: Any, expected: Any) -> None:
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-6 * (1 + abs(expected).max(initial=0)))


@settings(deadline=None, max_examples=50)
@given(problems(), st.sampled_from([1, 20_000, 1 << 20]))
def test_values_and_gradients_in_blocks_of_any_size(problem: Any, block: int) -> None:
    x, weight, bias, above, window, groups = problem
    assert winograd.serves(window, x.dtype, weight.shape[1], len(weight) // groups)
    x64, weight64, bias64, above64 = (a.astype(np.float64) for a in (x, weight, bias, above))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "_BLOCK_BYTES", block)
        y = conv2d(np, x, weight, bias, window, groups)
        gradient = conv2d_weight(np, x, above, window, groups)
    assert_near(y, sliding.conv2d(x64, weight64, bias64, window, groups))
    assert_near(gradient, sliding.conv2d_weight(x64, above64, window, groups))


def assert_served(weight: Any, window: Window) -> None:
    assert winograd.serves(window, weight.dtype, weight.shape[1], len(weight))


def test_the_gradient_of_the_input() -> None:
    rng = np.random.default_rng(0)
    window = sliding.window((7, 6), (3, 3), padding=(1, 1))
    weight, above = float32(rng, 32, 32, 3, 3), float32(rng, 2, 32, *window.output)
    assert_served(weight, window)
    by_input = conv_transpose2d(np, above, weight, None, window, 1, (7, 6))
    expected = sliding.conv_transpose2d(
        above.astype(np.float64), weight.astype(np.float64), None, window, 1, (7, 6)
    )
    assert_near(by_input, expected)


def test_its_error_is_no_larger_than_that_of_all_products() -> None:
    rng = np.random.default_rng(0)
    window = sliding.window((14, 14), (3, 3), padding=(1, 1))
    x, weight = float32(rng, 2, 32, 14, 14), float32(rng, 32, 32, 3, 3)
    exact = conv2d(np, x.astype(np.float64), weight.astype(np.float64), None, window, 1)

    def error() -> float:
        return float(np.square(conv2d(np, x, weight, None, window, 1) - exact).mean())

    of_winograd = error()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "serves", lambda *_: False)
        assert of_winograd < 1.5 * error()


def test_the_bits_do_not_depend_on_strides() -> None:
    rng = np.random.default_rng(0)
    window = sliding.window((6, 5), (3, 3), padding=(1, 1))
    x, weight = float32(rng, 4, 32, 6, 5), float32(rng, 32, 32, 3, 3)
    assert_served(weight, window)
    turned = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    y = conv2d(np, x, weight, None, window, 1)
    assert conv2d(np, turned, weight, None, window, 1).tobytes() == y.tobytes()


def test_on_the_strict_double_of_a_gpu() -> None:
    rng = np.random.default_rng(0)
    window = sliding.window((5, 4), (3, 3), padding=(1, 1))
    x, weight, bias = float32(rng, 2, 32, 5, 4), float32(rng, 32, 32, 3, 3), float32(rng, 32)
    assert_served(weight, window)
    y = conv2d(np, x, weight, bias, window, 1)
    by_weight = conv2d_weight(np, x, y, window, 1)
    with strict_device():
        there = [to_device(array, "cuda:0") for array in (x, weight, bias, y)]
        xp = array_namespace(*there)
        found = conv2d(xp, *there[:3], window, 1), conv2d_weight(xp, there[0], there[3], window, 1)
        found = tuple(map(to_host, found))
    assert [array.tobytes() for array in found] == [y.tobytes(), by_weight.tobytes()]


@pytest.mark.parametrize(
    ("window", "dtype", "depth", "outputs"),
    [
        (sliding.window((6, 6), (3, 3)), "float64", 32, 32),
        (sliding.window((6, 6), (3, 3)), "float32", 31, 32),
        (sliding.window((6, 6), (3, 3)), "float32", 32, 31),
        (sliding.window((6, 6), (3, 3), (2, 1)), "float32", 32, 32),
        (sliding.window((6, 6), (3, 3), (1, 1), (2, 1)), "float32", 32, 32),
        (sliding.window((6, 6), (2, 3)), "float32", 32, 32),
        (sliding.window((5, 6), (3, 3)), "float32", 32, 32),
    ],
    ids=["float64", "few channels", "few outputs", "steps", "dilated", "two rows", "three lines"],
)
def test_what_it_does_not_serve(window: Window, dtype: str, depth: int, outputs: int) -> None:
    assert not winograd.serves(window, np.dtype(dtype), depth, outputs)
