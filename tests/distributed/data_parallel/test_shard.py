"""Slices that ranks keep: they cover every parameter, and their norms add up to the whole's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distgrad.distributed.parts import owner_bounds
from distgrad.flat import BLOCK, FlatLayout
from distgrad.nn.utils import power_sums

sizes = st.lists(
    st.one_of(st.integers(0, 100), st.integers(0, 3 * BLOCK), st.just(BLOCK)), max_size=8
)


def layout_of(sizes):
    return FlatLayout.of(((str(i), (size,)) for i, size in enumerate(sizes)), np.float32)


@given(sizes, st.integers(1, 9))
def test_the_parts_of_all_ranks_make_up_each_parameter(sizes, ranks):
    layout = layout_of(sizes)
    bounds = owner_bounds(layout.size, ranks)
    parts = [layout.parts_within(*bounds[rank : rank + 2]) for rank in range(ranks)]
    for index, segment in enumerate(layout):
        covered = [
            element for of_rank in parts for element in range(*of_rank[index].indices(layout.size))
        ]
        assert covered == list(range(segment.offset, segment.end))
    for rank, of_rank in enumerate(parts):
        for part in of_rank:
            assert bounds[rank] <= part.start <= part.stop <= bounds[rank + 1]


@settings(max_examples=30)
@given(sizes, st.integers(1, 5), st.sampled_from([1.0, 2.0, 2.5, np.inf]))
def test_partial_sums_of_the_parts_are_those_of_the_parameters(sizes, ranks, order):
    layout = layout_of(sizes)
    flat = np.random.default_rng(sum(sizes)).standard_normal(layout.size).astype(np.float32)
    offsets = [segment.offset for segment in layout]
    expected = power_sums(layout.views(flat), order, offsets)
    bounds = owner_bounds(layout.size, ranks)
    found = []
    for rank in range(ranks):
        parts = layout.parts_within(*bounds[rank : rank + 2])
        copies = [flat[part].copy() for part in parts]
        found += power_sums(copies, order, [part.start for part in parts])
    assert found == expected


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 40), (5, 20), (16, 33), (40, 40)])
def test_parts_within(start, stop):
    layout = FlatLayout.of([("a", (3,)), ("b", ()), ("c", (0, 2)), ("d", (8,))], np.float32)
    for part, segment in zip(layout.parts_within(start, stop), layout, strict=True):
        inside = set(range(start, stop)) & set(range(segment.offset, segment.end))
        assert set(range(part.start, part.stop)) == inside
