"""Sums in pieces have the bits of sums of whole arrays, and leave the arrays as they are."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.distributed import adding
from distgrad.distributed.adding import Addition
from distgrad.distributed.tree import joined


def nodes_of(cuts, count):
    """The nodes of the tree that ranks with leaves between the cuts end with."""
    ends = [0, *sorted(cuts), count]
    of_ranks = [range(*pair) for pair in pairwise(ends)]
    leaves = [[range(leaf, leaf + 1) for leaf in own] for own in of_ranks]
    return [node for own in leaves for node in joined(own, count)[0]]


def whole(arrays, additions):
    sums = []
    for array, due in zip(arrays, additions, strict=True):
        sums.append(array)
        for _ in range(due):
            right = sums.pop()
            sums[-1] = sums[-1] + right
    (total,) = sums
    return total


@given(st.data())
def test_of_any_nodes_in_pieces_of_any_size(data):
    count = data.draw(st.integers(1, 20))
    cuts = data.draw(st.lists(st.integers(0, count), max_size=4))
    size = data.draw(st.integers(0, 50))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    divisor = data.draw(st.sampled_from([None, 3.0]))
    nodes = nodes_of(cuts, count)
    rng = np.random.default_rng(count)
    arrays = [rng.standard_normal(size).astype(dtype) for _ in nodes]
    for array in arrays:
        array.flags.writeable = False
    additions = joined(nodes, count)[1]
    expected = whole(arrays, additions)
    outs = [np.full(size, np.nan, dtype) for _ in range(data.draw(st.integers(1, 3)))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adding, "_PIECE", data.draw(st.integers(1, 30)) * np.dtype(dtype).itemsize)
        addition = Addition(arrays, additions)
    for _ in range(2):
        addition.run(outs, divisor)
        for out in outs:
            np.testing.assert_array_equal(out, expected if divisor is None else expected / divisor)


def test_it_sees_what_the_arrays_hold_at_the_time():
    one, other = np.ones(3), np.ones(3)
    addition = Addition([one, other], [0, 1])
    out = np.empty(3)
    addition.run([out], 2.0)
    other += 4
    addition.run([out], 2.0)
    assert out.tolist() == [3, 3, 3]
    assert one.tolist() == [1, 1, 1]
