import numpy as np

from distgrad.distributed.gradient_buffer import GradientBuffer
from distgrad.flat import FlatLayout


def buffer():
    return GradientBuffer(FlatLayout.of([("a", (2, 2)), ("b", (3,)), ("c", ())], np.float32))


def test_the_first_contribution_overwrites_and_later_ones_add():
    gradients = buffer()
    gradients.flat[:] = np.nan
    gradients.write(0, np.ones((2, 2)))
    assert gradients.views[0].tolist() == [[1, 1], [1, 1]]
    gradients.write(0, np.full((2, 2), 2))
    assert gradients.views[0].tolist() == [[3, 3], [3, 3]]
    assert gradients.written.tolist() == [True, False, False]


def test_clear_begins_anew():
    gradients = buffer()
    gradients.write(1, np.ones(3))
    gradients.clear()
    assert not gradients.written.any()
    gradients.write(1, np.full(3, 5))
    assert gradients.views[1].tolist() == [5, 5, 5]


def test_a_contribution_may_be_a_read_only_broadcast():
    gradients = buffer()
    one = np.broadcast_to(np.float32(1), (3,))
    gradients.write(1, one)
    gradients.write(1, one)
    assert gradients.views[1].tolist() == [2, 2, 2]


def test_fill_puts_zeros_where_nothing_was_written():
    gradients = buffer()
    for view in gradients.views:
        view[...] = np.nan
    gradients.write(2, np.float32(4))
    gradients.fill()
    assert [view.tolist() for view in gradients.views] == [[[0, 0], [0, 0]], [0, 0, 0], 4]
    assert gradients.written.tolist() == [False, False, True]


def test_add_sums_and_joins_what_was_written():
    left, right = buffer(), buffer()
    left.write(0, np.ones((2, 2)))
    right.write(0, np.ones((2, 2)))
    right.write(1, np.ones(3))
    left.fill()
    right.fill()
    left.add(right)
    assert [view.tolist() for view in left.views] == [[[2, 2], [2, 2]], [1, 1, 1], 0]
    assert left.written.tolist() == [True, True, False]


def test_views_share_the_flat_array():
    gradients = buffer()
    assert all(np.shares_memory(view, gradients.flat) for view in gradients.views)
