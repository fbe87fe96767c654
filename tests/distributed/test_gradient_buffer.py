import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from distgrad.distributed.gradient_buffer import GradientBuffer, HeldGradients
from distgrad.flat import FlatLayout

LAYOUT = FlatLayout.of([("a", (2, 2)), ("b", (3,)), ("c", ())], np.float32)


def buffer():
    return GradientBuffer(LAYOUT)


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


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([-0.0, 0.1, 1e8])), max_size=6))
def test_what_is_held_is_added_as_from_a_buffer(contributions):
    expected, right, total, held = buffer(), buffer(), buffer(), HeldGradients(LAYOUT)
    for filled in (expected, total):
        filled.write(1, np.full(3, -0.0, np.float32))
        filled.fill()
        filled.views[0][...] = -0.0
    for index, value in contributions:
        for gradients in (right, held):
            gradients.write(index, np.full(LAYOUT.segments[index].shape, value, np.float32))
    right.fill()
    expected.add(right)
    total.add_held(held)
    assert total.flat.tobytes() == expected.flat.tobytes()
    assert total.written.tolist() == expected.written.tolist()


def test_contributions_that_are_held_are_added_in_the_type_of_the_buffer():
    held = HeldGradients(LAYOUT)
    for value in (2048.0, 1.0):  # their sum is no float16
        held.write(1, np.full(3, value, np.float16))
    assert held.views[1].tolist() == [2049.0] * 3


def test_one_contribution_is_held_in_the_type_of_the_buffer_too():
    held = HeldGradients(LAYOUT)
    held.write(1, np.ones(3, np.float16))
    assert held.views[1].dtype == np.float32
    gradient = np.ones((2, 2), np.float32)
    held.write(0, gradient)
    assert held.views[0] is gradient


def test_what_was_held_is_let_go():
    held = HeldGradients(LAYOUT)
    held.write(0, np.ones((2, 2), np.float32))
    held.clear()
    assert held.views == [0, 0, 0]
    assert not held.written.any()


@given(st.sets(st.sampled_from([0, 1, 2])), st.booleans())
def test_what_is_copied_at_once_is_what_is_copied_one_by_one(written, more):
    made, at_once, by_held = buffer(), buffer(), buffer()
    one_by_one, held = buffer(), HeldGradients(LAYOUT)
    for index in written:
        made.write(index, np.full(made.views[index].shape, -0.0 if index else 1.5))
        one_by_one.write(index, made.views[index])
    for taker in (at_once, held):
        made.copy_to(taker)
    assert at_once.written.tolist() == held.written.tolist() == made.written.tolist()
    if more:  # contributions behind it
        for taker in (at_once, held, one_by_one):
            taker.write(1, np.float32(7))
    for each in (at_once, one_by_one, by_held):
        each.fill()
    by_held.add_held(held)
    assert at_once.flat.tobytes() == one_by_one.flat.tobytes()
    assert by_held.flat.tolist() == one_by_one.flat.tolist()
    assert made.views[0].tolist() == [[1.5, 1.5], [1.5, 1.5]] or 0 not in written
