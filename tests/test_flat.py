import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distgrad.flat import ALIGNMENT, FlatLayout, FlatSegment

shapes = st.lists(
    st.lists(st.integers(0, 5), max_size=3).map(tuple), max_size=8
)  # with 0-d and zero-size ones
dtypes = st.sampled_from(["float32", "float64", "int64"])


def named(shapes):
    return [(f"layer.{place}", shape) for place, shape in enumerate(shapes)]


@settings(deadline=None)
@given(shapes, dtypes)
def test_segments_are_aligned_ordered_and_disjoint(shapes, dtype):
    layout = FlatLayout.of(named(shapes), dtype)
    end = 0
    for segment, (name, shape) in zip(layout, named(shapes), strict=True):
        assert segment.name == name
        assert segment.shape == shape
        assert segment.size == np.zeros(shape).size
        assert segment.offset % ALIGNMENT == 0
        assert end <= segment.offset < end + ALIGNMENT
        end = segment.end
    assert layout.size % ALIGNMENT == 0
    assert end <= layout.size < end + ALIGNMENT


@settings(deadline=None)
@given(shapes, dtypes)
def test_what_is_written_to_views_is_read_back_from_others(shapes, dtype):
    layout = FlatLayout.of(named(shapes), dtype)
    flat = layout.zeros()
    views = layout.views(flat)
    for place, view in enumerate(views, start=1):
        view[...] = place
    assert [view.shape for view in views] == shapes
    assert all(np.shares_memory(view, flat) for view in views if view.size)
    for place, view in enumerate(layout.views(flat), start=1):
        assert (view == place).all()
    written = sum(place * view.size for place, view in enumerate(views, start=1))
    assert flat.sum() == written


@settings(deadline=None)
@given(shapes, dtypes)
def test_the_padding_of_an_empty_buffer_is_zero(shapes, dtype):
    layout = FlatLayout.of(named(shapes), dtype)
    flat = layout.empty()
    assert flat.shape == (layout.size,)
    assert flat.dtype == layout.dtype
    for view in layout.views(flat):
        view[...] = 0
    assert not flat.any()


def test_zeros_are_of_the_layouts_shape_and_type():
    flat = FlatLayout.of([("a", (3,))], "float64").zeros()
    assert flat.shape == (16,)
    assert flat.dtype == np.float64
    assert not flat.any()


def test_lookup_by_name():
    layout = FlatLayout.of([("w", (4, 5)), ("b", (5,))], np.float32)
    assert layout["b"] == FlatSegment("b", 32, 5, (5,))
    assert "w" in layout
    assert "c" not in layout
    assert len(layout) == 2
    with pytest.raises(KeyError, match="c"):
        layout["c"]


def test_an_empty_layout_has_an_empty_buffer():
    layout = FlatLayout.of([], np.float32)
    assert layout.size == 0
    assert layout.empty().shape == (0,)
    assert layout.views(layout.zeros()) == []


def test_layouts_are_frozen_and_equal_by_content():
    layout = FlatLayout.of([("w", (2,))], np.float32)
    with pytest.raises(AttributeError):
        layout.size = 3
    assert layout == FlatLayout.of([("w", (2,))], "float32")
    assert hash(layout) == hash(FlatLayout.of([("w", (2,))], "float32"))


@pytest.mark.parametrize(
    "other",
    [
        FlatLayout.of([("w", (3, 2)), ("b", (3,))], "float32"),
        FlatLayout.of([("w", (2, 3)), ("c", (3,))], "float32"),
        FlatLayout.of([("b", (3,)), ("w", (2, 3))], "float32"),
        FlatLayout.of([("w", (2, 3)), ("b", (3,))], "float64"),
        FlatLayout.of([("w", (2, 3))], "float32"),
    ],
)
def test_the_fingerprint_tells_layouts_apart(other):
    layout = FlatLayout.of([("w", (2, 3)), ("b", (3,))], "float32")
    assert layout.fingerprint != other.fingerprint
    assert layout.fingerprint == FlatLayout.of([("w", (2, 3)), ("b", (3,))], "<f4").fingerprint


def test_the_fingerprint_is_the_documented_one_and_the_same_in_another_process():
    layout = FlatLayout.of([("w", (2, 3))], "float32")
    text = json.dumps(["float32", [["w", [2, 3]]]])
    assert layout.fingerprint == hashlib.sha256(text.encode()).hexdigest()
    code = (
        "from distgrad.flat import FlatLayout;"
        "print(FlatLayout.of([('w', (2, 3))], 'float32').fingerprint)"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert other.stdout.strip() == layout.fingerprint


def test_a_name_given_twice_is_refused():
    with pytest.raises(ValueError, match="each name once, got 'w' twice"):
        FlatLayout.of([("w", (2,)), ("w", (3,))], np.float32)


def test_views_refuse_a_buffer_that_does_not_fit():
    layout = FlatLayout.of([("w", (2,))], np.float32)
    with pytest.raises(ValueError, match=r"shape \(16,\) and data type float32, got shape \(15,\)"):
        layout.views(np.zeros(15, np.float32))
    with pytest.raises(ValueError, match="data type float64"):
        layout.views(np.zeros(16))
    with pytest.raises(ValueError, match="contiguous buffers, got strides"):
        layout.views(np.zeros(32, np.float32)[::2])
