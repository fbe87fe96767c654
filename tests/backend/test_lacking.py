"""What CuPy lacks, made of what it has: the results of NumPy's own functions."""

from typing import Any

import numpy as np
import pytest
from helpers.strict_device import double, strict_device
from hypothesis import given
from hypothesis import strategies as st

from distgrad.backend import lacking, to_device, to_host


def both(function: Any, *arrays: Any, **given: Any) -> tuple[np.ndarray, np.ndarray]:
    """What a function gives on the host, and on the double."""
    with strict_device():
        there = [to_device(x, "cuda") for x in arrays]
        return function(np, *arrays, **given), to_host(function(double.xp, *there, **given))


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
@pytest.mark.parametrize("shape", [(2, 3), (2, 0), (0, 3)])
def test_largest(shape: tuple[int, ...], axis: Any) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    host, found = both(lacking.largest, x, axis=axis, least=-0.5)
    np.testing.assert_array_equal(found, host)


@given(st.integers(0, 20), st.integers(0, 1), st.sampled_from(["maximum", "minimum", "add"]))
def test_running(length: int, axis: int, operation: str) -> None:
    x = np.random.default_rng(length).integers(-5, 5, (length, 3) if axis == 0 else (3, length))
    host, found = both(lacking.running, x, operation=operation, axis=axis)
    np.testing.assert_array_equal(found, host)


@given(st.lists(st.integers(-4, 3), max_size=12))
def test_what_is_added_and_set_at_places_that_repeat(places: list[int]) -> None:
    values = np.random.default_rng(len(places)).normal(size=(len(places), 2)).astype(np.float32)
    index = np.array(places, np.int64)
    for change in (
        lambda xp, y, v, at: lacking.add_at(xp, y, v, index=at),
        lacking.set_at,
    ):

        def changed(xp: Any, values: Any, index: Any, change: Any = change) -> Any:
            y = xp.ones((4, 2), np.float32)
            change(xp, y, values, index)
            return y

        host, found = both(changed, values, index)
        np.testing.assert_array_equal(found, host)


def test_masks_slices_and_numbers_are_set_as_they_are() -> None:
    for index in (slice(1), (..., 0), 2, np.array([True, False, True])):

        def changed(xp: Any, index: Any = index) -> Any:
            y = xp.zeros((3, 2))
            at = xp.asarray(index) if isinstance(index, np.ndarray) else index
            lacking.set_at(xp, y, 1.5, at)
            lacking.add_at(xp, y, 1.0, index=at)
            return y

        host, found = both(changed)
        np.testing.assert_array_equal(found, host)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_segment_sums(lengths: list[int]) -> None:
    values = np.random.default_rng(0).integers(0, 9, (sum(lengths), 2)).astype(np.float64)
    first = np.cumsum([0, *lengths[:-1]])
    host, found = both(lacking.segment_sums, values, first)
    np.testing.assert_array_equal(found, host)


def test_places_of_what_is_true() -> None:
    with strict_device():
        x = to_device(np.array([[0, 0], [0, 2]]), "cuda")
        assert lacking.first_true(x > 0) == (1, 1)
        assert lacking.first_true(x > 5) is None
        assert lacking.is_anything_true(x > 5)  # not looked at
    assert not lacking.is_anything_true(np.zeros(2, bool))
