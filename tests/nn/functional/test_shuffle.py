from typing import Any

import numpy as np
import pytest
from helpers.parity import check_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

import distgrad as dg
import distgrad.nn.functional as F


def test_values_and_gradients_of_two_orders_are_pytorchs() -> None:
    x = np.random.default_rng(0).standard_normal((2, 8, 4, 6))
    check_gradients([x], lambda m, f, x: f.pixel_shuffle(x, 2))
    check_gradients([x], lambda m, f, x: f.pixel_unshuffle(x, 2))
    check_gradients([x], lambda m, f, x: f.channel_shuffle(x, 4))


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.integers(0, 3), max_size=2),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    st.integers(1, 3),
)
def test_channels_become_pixels_and_back(around: list[int], size: Any, r: int) -> None:
    c, height, width = size
    shape = (*around, c * r * r, height, width)
    x = np.arange(float(np.prod(shape))).reshape(shape)
    y = F.pixel_shuffle(dg.Tensor(x), r)
    assert y.shape == (*around, c, height * r, width * r)
    for a, b in np.ndindex(r, r):
        np.testing.assert_array_equal(y.data[..., a::r, b::r], x[..., a * r + b :: r * r, :, :])
    np.testing.assert_array_equal(F.pixel_unshuffle(y, r).data, x)


def test_channels_are_dealt_out() -> None:
    x = dg.arange(12).reshape(1, 6, 2)
    y = F.channel_shuffle(x, 3)
    assert y[0, :, 0].tolist() == [0, 4, 8, 2, 6, 10]
    np.testing.assert_array_equal(F.channel_shuffle(y, 2).data, x.data)


@pytest.mark.parametrize(
    ("name", "shape", "number", "message"),
    [
        ("pixel_shuffle", (3, 2, 2), 2, r"C \* r \* r, H, W\) .* got \(3, 2, 2\) and r = 2"),
        ("pixel_shuffle", (4, 2), 1, r"got \(4, 2\)"),
        ("pixel_shuffle", (4, 2, 2), 0, "r = 0"),
        ("pixel_unshuffle", (3, 2, 3), 2, r"H \* r, W \* r\) .* got \(3, 2, 3\) and r = 2"),
        ("pixel_unshuffle", (4, 4), 1, r"got \(4, 4\)"),
        ("pixel_unshuffle", (4, 2, 2), -1, "r = -1"),
        ("channel_shuffle", (1, 4, 2), 3, r"got \(1, 4, 2\) and groups=3"),
        ("channel_shuffle", (1, 4), 2, "of 3 axes or more"),
        ("channel_shuffle", (1, 4, 2), 0, "groups=0"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, shape: Any, number: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: .*{message}"):
        getattr(F, name)(dg.ones(*shape), number)
