"""Numbers and arrays of one number, beside arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.backend.numbers import number, spread


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_a_number_does_not_widen_an_array(dtype) -> None:
    x = np.arange(3).astype(dtype)
    difference = number(np, 1, x.dtype) - x
    assert difference.dtype == x.dtype
    np.testing.assert_array_equal(difference, 1 - x)
    assert number(np, 1, x.dtype) is number(np, 1, x.dtype)


def test_a_number_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        number(np, 1, np.dtype(np.float32))[...] = 2
    assert number(dg, 1, np.dtype(np.float32)) == 1  # a namespace of something else than arrays


@given(st.lists(st.integers(0, 3), max_size=4).map(tuple), st.sampled_from(["f4", "f8", "i8"]))
def test_spread_is_broadcast_to(shape, dtype) -> None:
    for array in (np.array(3, dtype), np.ones(shape[-1:], dtype)):
        found, expected = spread(np, array, shape), np.broadcast_to(array, shape)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        assert not found.flags.writeable
        assert np.shares_memory(found, array) or not found.size
        np.testing.assert_array_equal(found, expected)
