"""Convolution beyond its samples: strides, blocks, and that its gradients are its adjoints."""

from typing import Any

import numpy as np
import pytest
from helpers import sliding
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from distgrad.ops import channel_sum, conv, conv2d, conv2d_weight, conv_transpose2d
from distgrad.ops.window import Window, channels_last

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def problems(draw: Any) -> tuple[Any, Any, Any, Window, int]:
    """(x, weight, gradient of the output, window, groups)."""
    size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    paddings = st.tuples(st.integers(0, 4), st.integers(0, 4))
    window = sliding.window(size, draw(pairs), draw(pairs), draw(pairs), draw(paddings))
    assume(min(window.output) > 0)
    groups, depth, parts = (draw(st.integers(1, n)) for n in (3, 3, 6))
    count = draw(st.integers(0, 3))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    shapes = (
        (count, groups * depth, *size),
        (groups * parts, depth, *window.kernel),
        (count, groups * parts, *window.output),
    )
    return *(rng.standard_normal(shape, np.float32) for shape in shapes), window, groups


def other_strides(x: Any) -> list[Any]:
    """The same values in other orders of memory."""
    return [
        np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
        np.asfortranarray(x),
        np.repeat(x, 2, axis=3)[..., ::2],
        x[:, :, ::-1].copy()[:, :, ::-1],
    ]


def in_float64(*arrays: Any) -> list[Any]:
    return [array.astype(np.float64) for array in arrays]


@settings(deadline=None)
@given(problems())
def test_values_and_gradients(problem: Any) -> None:
    *arrays, window, groups = problem
    x, weight, above = in_float64(*arrays)
    size = x.shape[2:]
    for value, expected in [
        (
            conv2d(np, x, weight, None, window, groups),
            sliding.conv2d(x, weight, None, window, groups),
        ),
        (
            conv_transpose2d(np, above, weight, None, window, groups, size),
            sliding.conv_transpose2d(above, weight, None, window, groups, size),
        ),
        (
            conv2d_weight(np, x, above, window, groups),
            sliding.conv2d_weight(x, above, window, groups),
        ),
    ]:
        assert value.shape == expected.shape
        np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-11)


@settings(deadline=None)
@given(problems())
def test_the_bits_do_not_depend_on_strides(problem: Any) -> None:
    x, weight, above, window, groups = problem
    size = x.shape[2:]
    y = conv2d(np, x, weight, None, window, groups)
    by_input = conv_transpose2d(np, above, weight, None, window, groups, size)
    by_weight = conv2d_weight(np, x, above, window, groups)
    sums = channel_sum(np, above)
    for place in range(4):
        x2, weight2, above2 = (other_strides(a)[place] for a in (x, weight, above))
        for value, expected in [
            (conv2d(np, x2, weight2, None, window, groups), y),
            (conv_transpose2d(np, above2, weight2, None, window, groups, size), by_input),
            (conv2d_weight(np, x2, above2, window, groups), by_weight),
            (channel_sum(np, above2), sums),
        ]:
            assert value.tobytes() == expected.tobytes()


def test_results_lie_with_their_channels_last() -> None:
    x, weight = np.ones((2, 3, 5, 4)), np.ones((6, 3, 2, 2))
    window = sliding.window((5, 4), (2, 2))
    y = conv2d(np, x, weight, None, window, 1)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    by_input = conv_transpose2d(np, y, weight, None, window, 1, (5, 4))
    assert by_input.transpose(0, 2, 3, 1).flags.c_contiguous
    assert np.shares_memory(channels_last(np, y), y), "what lies so is not copied"


@pytest.mark.parametrize("outputs", [3, 40], ids=["gathered", "scattered"])
@pytest.mark.parametrize("room", [1, 4_000, 40_000], ids=["lines", "bands", "images"])
def test_blocks_of_any_size_cover_everything(
    monkeypatch: pytest.MonkeyPatch, outputs: int, room: int
) -> None:
    rng = np.random.default_rng(0)
    window = sliding.window((9, 7), (3, 2), (1, 1), (2, 1), (2, 1))
    x = rng.standard_normal((5, 2, 9, 7))
    weight = rng.standard_normal((outputs, 2, 3, 2))
    above = rng.standard_normal((5, outputs, *window.output))
    monkeypatch.setattr(conv, "_COLUMN_BYTES", room)
    monkeypatch.setattr(conv, "_LEAST_ROWS", 1)
    np.testing.assert_allclose(
        conv2d(np, x, weight, None, window, 1),
        sliding.conv2d(x, weight, None, window, 1),
        rtol=1e-11,
    )
    np.testing.assert_allclose(
        conv2d_weight(np, x, above, window, 1),
        sliding.conv2d_weight(x, above, window, 1),
        rtol=1e-11,
    )
    np.testing.assert_allclose(
        conv_transpose2d(np, above, weight, None, window, 1, (9, 7)),
        sliding.conv_transpose2d(above, weight, None, window, 1, (9, 7)),
        rtol=1e-11,
        atol=1e-12,
    )


def test_a_gradient_may_be_a_read_only_broadcast() -> None:
    window = sliding.window((3, 3), (2, 2))
    one = np.broadcast_to(np.float32(1), (2, 2, 2, 2))
    weight = np.ones((2, 1, 2, 2), np.float32)
    by_input = conv_transpose2d(np, one, weight, None, window, 1, (3, 3))
    assert by_input[0, 0].tolist() == [[2, 4, 2], [4, 8, 4], [2, 4, 2]]
    assert channel_sum(np, one).tolist() == [8, 8]
