"""Pooling beyond its samples: equal elements, nan, infinities, strides, overlap."""

from typing import Any

import numpy as np
import pytest
from helpers import sliding
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import distgrad as dg
from distgrad.ops import (
    avg_pool2d,
    avg_pool2d_input,
    max_pool2d,
    max_pool2d_gather,
    max_pool2d_scatter,
    max_pool2d_winner,
    max_pool2d_x,
    pool,
)
from distgrad.tensor import apply

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
nan, inf = np.nan, np.inf


@st.composite
def problems(draw: Any) -> tuple[Any, Any, Any]:
    """(x with many equal elements, gradient of the output, window)."""
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    paddings = st.tuples(st.integers(0, 1), st.integers(0, 1))
    window = sliding.window(size, draw(pairs), draw(pairs), draw(pairs), draw(paddings))
    assume(min(window.output) > 0)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    count = draw(st.integers(0, 2))
    x = rng.integers(-1, 2, (count, 2, *size)).astype(np.float32)
    return x, rng.standard_normal((count, 2, *window.output)), window


def gradient(row: list[float], window: Any) -> list[float]:
    """The gradient of the sum of the maxima over one row of pixels."""
    x = dg.Tensor(np.array(row).reshape(1, 1, 1, -1), requires_grad=True)
    apply(max_pool2d, x, window=window).sum().backward()
    assert x.grad is not None
    return x.grad.data.ravel().tolist()


@settings(deadline=None)
@given(problems())
def test_largest_elements_and_the_first_of_equal_ones(problem: Any) -> None:
    x, above, window = problem
    largest = sliding.max_pool2d(x, window)
    winner = sliding.max_pool2d_winner(x, largest, window)
    np.testing.assert_array_equal(max_pool2d(np, x, window), largest)
    np.testing.assert_array_equal(max_pool2d_winner(np, x, largest, window), winner)
    np.testing.assert_allclose(
        max_pool2d_scatter(np, above, winner, window, x.shape[2:]),
        sliding.max_pool2d_scatter(above, winner, window, x.shape[2:]),
    )
    np.testing.assert_array_equal(
        max_pool2d_gather(np, x, winner, window), sliding.max_pool2d_gather(x, winner, window)
    )


@settings(deadline=None)
@given(problems(), st.sampled_from([1, 100, 1 << 20]))
def test_the_gradient_in_blocks_of_any_size(problem: Any, block: int) -> None:
    x, above, window = problem
    largest = sliding.max_pool2d(x, window).astype(x.dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "_BLOCK_BYTES", block)
        by_input = max_pool2d_x(np, above, x, largest, window)
    expected = sliding.max_pool2d_x(above, x, largest, window)
    np.testing.assert_allclose(by_input, expected)
    assert by_input.transpose(0, 2, 3, 1).flags.c_contiguous


@settings(deadline=None)
@given(problems())
def test_the_bits_do_not_depend_on_strides(problem: Any) -> None:
    x, above, window = problem
    above = above.astype(np.float32)
    size, counts = x.shape[2:], ((3,) * window.output[0], (1,) * window.output[1])
    turned_x, turned_above = (
        np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) for a in (x, above)
    )
    y = max_pool2d(np, x, window)
    winner = max_pool2d_winner(np, x, y, window)
    for value, expected in [
        (max_pool2d(np, turned_x, window), y),
        (max_pool2d_winner(np, turned_x, y.copy(), window), winner),
        (
            max_pool2d_scatter(np, turned_above, winner.copy(), window, size),
            max_pool2d_scatter(np, above, winner, window, size),
        ),
        (avg_pool2d(np, turned_x, window, counts), avg_pool2d(np, x, window, counts)),
        (
            avg_pool2d_input(np, turned_above, window, counts, size),
            avg_pool2d_input(np, above, window, counts, size),
        ),
    ]:
        assert value.tobytes() == expected.tobytes()
        assert value.transpose(0, 2, 3, 1).flags.c_contiguous


def test_of_equal_elements_the_first_gets_the_gradient() -> None:
    window = sliding.window((2, 2), (2, 2))
    x = dg.Tensor(np.array([[[[0.0, 3.0], [3.0, 3.0]]]]), requires_grad=True)
    apply(max_pool2d, x, window=window).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[[0, 1], [0, 0]]]]


@pytest.mark.parametrize(
    ("row", "largest", "expected"),
    [
        ([1, nan, 2, 0], nan, [0, 1, 0, 0]),
        ([nan, 1, nan, 0], nan, [0, 0, 1, 0]),
        ([-inf, -inf, -inf, -inf], -inf, [1, 0, 0, 0]),
        ([0, inf, 1, inf], inf, [0, 1, 0, 0]),
    ],
)
def test_nan_and_infinities(row: list[float], largest: float, expected: list[float]) -> None:
    window = sliding.window((1, 4), (1, 4))
    value = max_pool2d(np, np.array(row).reshape(1, 1, 1, 4), window)
    np.testing.assert_array_equal(value.ravel(), [largest])
    assert gradient(row, window) == expected


@pytest.mark.parametrize(
    ("size", "kernel", "padding"), [((6, 6), (3, 3), (1, 1)), ((5, 6), (2, 3), (0, 0))]
)
def test_pixels_that_no_window_meets_get_zero(size: Any, kernel: Any, padding: Any) -> None:
    window = sliding.window(size, kernel, kernel, padding=padding)
    values = np.ones((1, 1, *window.output))
    winner = np.zeros(values.shape, np.uint8)
    for _ in range(3):
        freed = np.full((1, 1, *size), 7.0)
        del freed  # what memory held before must not show
        x = max_pool2d_scatter(np, values, winner, window, size)
        np.testing.assert_array_equal(x, sliding.max_pool2d_scatter(values, winner, window, size))


def test_padding_never_wins() -> None:
    window = sliding.window((1, 3), (1, 2), (1, 2), padding=(0, 1))
    assert gradient([-inf, -5.0, -7.0], window) == [1, 1, 0]


def test_a_window_that_meets_no_pixel_is_minus_infinity_and_hands_nothing_down() -> None:
    window = sliding.window((1, 2), (1, 2), dilation=(1, 5), padding=(0, 3))
    x = np.array([[[[1.0, 2.0]]]])
    np.testing.assert_array_equal(max_pool2d(np, x, window).ravel(), np.full(3, -inf))
    assert gradient([1.0, 2.0], window) == [0, 0]


def test_a_window_of_more_elements_than_a_byte_counts() -> None:
    window = sliding.window((17, 17), (16, 17))
    x = np.zeros((1, 1, 17, 17))
    x[0, 0, 15, 16] = 1
    winner = max_pool2d_winner(np, x, max_pool2d(np, x, window), window)
    assert winner.ravel().tolist() == [15 * 17 + 16, 14 * 17 + 16]
