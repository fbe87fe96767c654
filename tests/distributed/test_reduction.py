import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.distributed import SingleProcess
from distgrad.distributed.parts import owner_bounds
from distgrad.distributed.reduction import REDUCTIONS
from distgrad.flat import BLOCK, FlatLayout


class TestOwnerBounds:
    @given(st.integers(0, 50 * BLOCK), st.integers(1, 20))
    def test_slices_cover_the_array_in_order(self, size, ranks):
        bounds = owner_bounds(size, ranks)
        assert len(bounds) == ranks + 1
        assert bounds[0] == 0
        assert bounds[-1] == size
        assert bounds == sorted(bounds)

    @given(st.integers(0, 50 * BLOCK), st.integers(1, 20))
    def test_slices_begin_at_blocks(self, size, ranks):
        assert all(bound % BLOCK == 0 for bound in owner_bounds(size, ranks) if bound < size)

    @given(st.integers(0, 50 * BLOCK), st.integers(1, 20))
    def test_slices_differ_by_at_most_one_block(self, size, ranks):
        blocks = [-(-length // BLOCK) for length in np.diff(owner_bounds(size, ranks)).tolist()]
        assert max(blocks) - min(blocks) <= 1

    def test_of_a_small_array_the_first_rank_owns_all(self):
        assert owner_bounds(100, 3) == [0, 100, 100, 100]


@pytest.mark.parametrize("name", REDUCTIONS)
class TestReduction:
    layout = FlatLayout.of([("a", (3,)), ("b", (20,)), ("c", (2,))], np.float64)

    def reduce(self, reduction, leaves, divisor=1.0):
        """Write (parameter, value) pairs of each leaf, and return the views of the result."""
        reduction.start(len(leaves), [range(len(leaves))])
        for contributions in leaves:
            buffer = reduction.open()
            for index, value in contributions:
                buffer.write(index, np.full(self.layout.segments[index].shape, value))
            reduction.close()
        used = reduction.used()
        flat = np.full(self.layout.size, np.nan)
        reduction.finish(divisor, flat)
        assert np.isfinite(flat).all()
        return used.tolist(), [view.flat[0] for view in self.layout.views(flat)]

    def test_sums_over_leaves_and_divides(self, name):
        reduction = REDUCTIONS[name](self.layout, SingleProcess())
        leaves = [[(0, 1.0), (1, 10.0)], [(0, 2.0)], [(1, 20.0), (1, 30.0)]]
        assert self.reduce(reduction, leaves, 2.0) == ([True, True, False], [1.5, 30.0, 0.0])

    def test_steps_do_not_see_each_other(self, name):
        reduction = REDUCTIONS[name](self.layout, SingleProcess())
        self.reduce(reduction, [[(0, 1.0), (2, 1.0)]] * 5)
        assert self.reduce(reduction, [[(1, 3.0)]]) == ([False, True, False], [0.0, 3.0, 0.0])

    def test_a_step_that_was_given_up_leaves_no_trace(self, name):
        reduction = REDUCTIONS[name](self.layout, SingleProcess())
        reduction.start(3, [range(3)])
        reduction.open().write(0, np.ones(3))
        reduction.close()
        reduction.open().write(2, np.ones(2))
        assert self.reduce(reduction, [[(1, 3.0)]]) == ([False, True, False], [0.0, 3.0, 0.0])


def test_the_tree_reuses_its_buffers():
    layout = TestReduction.layout
    reduction = REDUCTIONS["tree"](layout, SingleProcess())
    seen = set()
    for _ in range(4):
        reduction.start(8, [range(8)])
        for _ in range(8):
            gradients = reduction.open()
            seen.add(id(gradients))
            gradients.write(0, np.ones(3))
            reduction.close()
        reduction.finish(1.0, layout.zeros())
    assert len(seen) == 4  # log2(8) buffers, and what holds those that are added at once
