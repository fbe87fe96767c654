import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.distributed.tree import TreeSum, contiguous_ranges, divided

counts = st.integers(0, 300)
ranks = st.integers(1, 20)


def reference_sum(values, start, width, count):
    """The tree of the module's docstring, written as a recursion."""
    if width == 1:
        return values[start]
    half = width // 2
    left = reference_sum(values, start, half, count)
    if start + half >= count:
        return left
    return left + reference_sum(values, start + half, half, count)


def width_of(count):
    return 1 << (count - 1).bit_length()


def nodes(count):
    """Every node of the tree over ``count`` leaves, as a range."""
    found = set()
    width = 1
    while width <= width_of(count):
        for start in range(0, count, width):
            found.add(range(start, min(start + width, count)))
        width *= 2
    return found


class TestContiguousRanges:
    @given(counts, ranks)
    def test_covers_every_leaf_once_in_order(self, count, ranks):
        ranges = contiguous_ranges(count, ranks)
        assert len(ranges) == ranks
        assert [leaf for part in ranges for leaf in part] == list(range(count))

    @given(counts, ranks)
    def test_no_rank_has_more_than_an_equal_share_rounded_up(self, count, ranks):
        assert max(len(part) for part in contiguous_ranges(count, ranks)) == -(-count // ranks)

    @given(counts, ranks)
    def test_only_the_last_ranks_are_idle(self, count, ranks):
        idle = [not part for part in contiguous_ranges(count, ranks)]
        assert idle == sorted(idle)

    @given(st.integers(0, 7), st.integers(0, 4))
    def test_powers_of_two_give_each_rank_one_node(self, log_count, log_ranks):
        count, ranks = 2**log_count, 2**log_ranks
        ranges = contiguous_ranges(count, ranks)
        assert list(divided(count, ranges).subtrees) == [1 if part else 0 for part in ranges]

    @given(st.integers(1, 300), ranks)
    def test_boundaries_are_as_even_as_the_load_allows(self, count, ranks):
        most = -(-count // ranks)
        ranges = contiguous_ranges(count, ranks)
        for number, part in enumerate(ranges):
            if not part:
                continue
            rest = most * (ranks - number - 1)
            possible = [
                stop
                for stop in range(part.start + 1, min(part.start + most, count) + 1)
                if count - stop <= rest
            ]
            assert part.stop & -part.stop == max(stop & -stop for stop in possible)

    @pytest.mark.parametrize(
        ("count", "ranks", "lengths"),
        [
            (0, 3, [0, 0, 0]),
            (1, 3, [1, 0, 0]),
            (6, 1, [6]),
            (16, 4, [4, 4, 4, 4]),
            (16, 3, [4, 6, 6]),
            (7, 4, [2, 2, 2, 1]),
        ],
    )
    def test_examples(self, count, ranks, lengths):
        assert [len(part) for part in contiguous_ranges(count, ranks)] == lengths


@st.composite
def part_of_a_tree(draw):
    count = draw(st.integers(1, 300))
    start = draw(st.integers(0, count))
    return count, range(start, draw(st.integers(start, count)))


def held(leaves, count):
    """The nodes that a sum holds behind a range of leaves."""
    total = TreeSum(count, lambda left, right: None)
    for leaf in leaves:
        total.push(range(leaf, leaf + 1), None)
    return [part for part, _ in total.parts]


class TestPartsOfASum:
    @given(part_of_a_tree())
    def test_covers_the_range_exactly_by_nodes_of_the_tree(self, tree):
        count, leaves = tree
        parts = held(leaves, count)
        assert [leaf for part in parts for leaf in part] == list(leaves)
        assert set(parts) <= nodes(count)

    @given(part_of_a_tree())
    def test_is_the_smallest_cover(self, tree):
        count, leaves = tree
        parts = held(leaves, count)
        inside = {node for node in nodes(count) if set(node) <= set(leaves)}
        assert all(not any(set(part) < set(node) for node in inside) for part in parts)

    @given(part_of_a_tree())
    def test_has_at_most_twice_the_logarithm_of_the_range(self, tree):
        count, leaves = tree
        if leaves:
            assert len(held(leaves, count)) <= max(1, 2 * math.log2(len(leaves)))

    @given(st.integers(1, 300))
    def test_of_all_leaves_is_the_root(self, count):
        assert held(range(count), count) == [range(count)]


@st.composite
def divided_values(draw):
    count = draw(st.integers(1, 100))
    cuts = draw(st.lists(st.integers(0, count), max_size=8))
    bounds = [0, *sorted(cuts), count]
    seed = draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    values = (rng.standard_normal(count) * 10.0 ** rng.integers(-6, 6, count)).astype(np.float32)
    return values, [range(a, b) for a, b in pairwise(bounds)]


class TestTreeSum:
    @given(divided_values())
    def test_any_division_gives_the_bits_of_the_recursive_sum(self, divided):
        values, ranges = divided
        count = len(values)
        combined = TreeSum(count, np.add)
        for leaves in ranges:
            local = TreeSum(count, np.add)
            for leaf in leaves:
                local.push(range(leaf, leaf + 1), values[leaf])
            for part, value in local.parts:
                combined.push(part, value)
        ((root, total),) = combined.parts
        assert root == range(count)
        expected = reference_sum(values, 0, width_of(count), count)
        assert total.dtype == np.float32
        assert total.tobytes() == expected.tobytes()

    @given(st.integers(1, 300))
    def test_holds_at_most_log2_of_the_leaves_and_one_more(self, count):
        total = TreeSum(count, lambda left, right: left + right)
        for leaf in range(count):
            total.push(range(leaf, leaf + 1), 1)
            assert len(total.parts) <= math.log2(leaf + 1) + 1
        assert total.parts == [(range(count), count)]

    def test_rounds_less_than_a_running_sum(self):
        values = np.full(2**16, 0.1, np.float32)
        total = TreeSum(len(values), np.add)
        running = np.float32(0)
        for leaf, value in enumerate(values):
            total.push(range(leaf, leaf + 1), value)
            running += value
        exact = float(np.float32(0.1)) * len(values)
        assert total.parts[0][1] == exact
        assert abs(running - exact) > 1
