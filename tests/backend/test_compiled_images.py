"""Compiled convolution and pooling beside the references: shapes, blocks, layouts, nan."""

from typing import Any

import numpy as np
import pytest
from helpers import sliding
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from distgrad.ops import conv2d, conv2d_weight, max_pool2d, max_pool2d_x

pytest.importorskip("numba")
from distgrad.backend.kernels.compiled import convolution, pooling, selection, winograd

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


def float32(rng: np.random.Generator, *shape: int) -> Any:
    return rng.standard_normal(shape, np.float32)


def assert_near(found: Any, expected: Any) -> None:
    assert found is not NotImplemented
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6 * (1 + abs(expected).max()))


def other_layouts(x: Any) -> list[Any]:
    read_only = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    read_only.flags.writeable = False
    return [read_only, np.asfortranarray(x), np.repeat(x, 2, axis=3)[..., ::2]]


def frozen(x: Any) -> Any:
    """The same values in another order of memory, not to be written to."""
    if x is None:
        return None
    x = x.T.copy().T
    x.flags.writeable = False
    return x


@st.composite
def convolutions(draw: Any) -> tuple[Any, ...]:
    """(x, weight, bias, gradient of the output, window), of what is served."""
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    padding = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    if draw(st.booleans()):  # by sums over tiles
        channels = draw(st.sampled_from([16, 32]))
        window = sliding.window(size, (3, 3), padding=padding)
        assume(min(window.output) > 1)
    else:  # with few channels
        channels = draw(st.integers(1, 4))
        window = sliding.window(size, draw(pairs), draw(pairs), draw(pairs), padding)
        assume(min(window.output) > 0)
    count, outputs = draw(st.integers(1, 5)), draw(st.sampled_from([16, 48]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x, weight = float32(rng, count, channels, *size), float32(rng, outputs, channels, *window[0])
    bias = float32(rng, outputs) if draw(st.booleans()) else None
    return x, weight, bias, float32(rng, count, outputs, *window.output), window


@settings(deadline=None, max_examples=40)
@given(convolutions(), st.sampled_from([1, 30_000, 1 << 20]))
def test_convolution_and_the_gradient_of_its_weight(problem: Any, block: int) -> None:
    x, weight, bias, above, window = problem
    exact = [None if a is None else a.astype(np.float64) for a in (x, weight, bias, above)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "_BLOCK_BYTES", block)
        y = convolution.conv2d(np, x, weight, bias, window, 1)
        gradient = convolution.conv2d_weight(np, x, above, window, 1)
        assert_near(y, conv2d.forward.reference(np, *exact[:3], window, 1))
        assert_near(gradient, conv2d_weight.forward.reference(np, exact[0], exact[3], window, 1))
        for x2, above2 in zip(other_layouts(x), other_layouts(above), strict=True):
            again = convolution.conv2d(np, x2, frozen(weight), frozen(bias), window, 1)
            assert again.tobytes() == y.tobytes()
            again = convolution.conv2d_weight(np, x2, above2, window, 1)
            assert again.tobytes() == gradient.tobytes()
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous


@st.composite
def poolings(draw: Any) -> tuple[Any, Any, Any]:
    """(x with many equal elements, gradient of the output, window)."""
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    paddings = st.tuples(st.integers(0, 4), st.integers(0, 4))
    window = sliding.window(size, draw(pairs), draw(pairs), draw(pairs), draw(paddings))
    assume(min(window.output) > 0)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    count, channels = draw(st.integers(1, 3)), draw(st.sampled_from([16, 32]))
    x = rng.integers(-1, 2, (count, channels, *size)).astype(np.float32)
    return x, float32(rng, count, channels, *window.output), window


@settings(deadline=None, max_examples=40)
@given(poolings())
def test_pooling_and_its_gradient(problem: Any) -> None:
    x, above, window = problem
    largest = max_pool2d.forward.reference(np, x, window)
    expected = max_pool2d_x.forward.reference(np, above, x, largest, window)
    found = pooling.max_pool2d(np, x, window)
    np.testing.assert_array_equal(found, largest)
    assert found.transpose(0, 2, 3, 1).flags.c_contiguous
    assert_near(pooling.max_pool2d_x(np, above, x, largest, window), expected)
    for x2, above2 in zip(other_layouts(x), other_layouts(above), strict=True):
        np.testing.assert_array_equal(pooling.max_pool2d(np, x2, window), largest)
        assert_near(pooling.max_pool2d_x(np, above2, x2, largest, window), expected)


@pytest.mark.parametrize(
    "values",
    [[1, np.nan, 2, 0], [np.nan, np.inf, 0, np.nan], [-np.inf] * 4, [0, np.inf, 1, np.inf]],
)
def test_nan_and_infinities(values: list[float]) -> None:
    window = sliding.window((2, 2), (2, 2))
    x = np.broadcast_to(np.array(values, np.float32).reshape(1, 1, 2, 2), (1, 16, 2, 2))
    largest = pooling.max_pool2d(np, x, window)
    np.testing.assert_array_equal(largest, max_pool2d.forward.reference(np, x, window))
    by_input = pooling.max_pool2d_x(np, np.ones_like(largest), x, largest, window)
    assert (by_input is NotImplemented) == np.isnan(largest).any()


def test_what_is_left_to_the_references() -> None:
    x, weight = np.ones((1, 16, 4, 4), np.float32), np.ones((16, 16, 3, 3), np.float32)
    window = sliding.window((4, 4), (3, 3))
    assert convolution.conv2d(np, x, weight, None, window, 1) is not NotImplemented
    for images, kernels, wide, groups in [
        (x.astype(np.float64), weight.astype(np.float64), window, 1),
        (x[:0], weight, window, 1),
        (x, weight[:, :8], window, 2),
        (x, weight[:7], window, 1),
        (x, weight, sliding.window((4, 4), (3, 3), (2, 2)), 1),
    ]:
        found = convolution.conv2d(np, images, kernels, None, wide, groups)
        assert found is NotImplemented
        above = np.ones((len(images), len(kernels), *wide.output), images.dtype)
        found = convolution.conv2d_weight(np, images, above, wide, groups)
        assert found is NotImplemented
    for images in (x[:, :7], x.astype(np.float64), x[:0]):
        assert pooling.max_pool2d(np, images, window) is NotImplemented
        largest = images[:, :, :2, :2]
        assert pooling.max_pool2d_x(np, largest, images, largest, window) is NotImplemented


def test_the_gradient_of_relu_lies_as_its_images_do() -> None:
    rng = np.random.default_rng(0)
    x, above = (float32(rng, 2, 5, 4, 3).transpose(0, 3, 1, 2) for _ in range(2))
    y = np.maximum(x, 0)
    by_input = selection.COLUMN["relu_x"](np, above, y)
    np.testing.assert_array_equal(by_input, above * (x > 0))
    assert by_input.strides == y.strides
