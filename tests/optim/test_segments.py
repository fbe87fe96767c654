import numpy as np
import pytest
from helpers.optimizing import flat_views
from hypothesis import given, settings
from hypothesis import strategies as st

from distgrad.optim.segments import BLOCK, Row, join_rows, offset_in_base, separate_rows


def rows_of(columns, ages=None):
    """Rows of (parameter, gradient, one piece of state) from columns of arrays."""
    columns = list(zip(*columns, strict=True))
    ages = ages or [1] * len(columns)
    return [Row(p, g, (s,), age) for (p, g, s), age in zip(columns, ages, strict=True)]


def adjacent(sizes, dtype=np.float32):
    """Views one behind the other in one buffer, without padding."""
    flat = np.arange(sum(sizes), dtype=dtype)
    return np.split(flat, np.cumsum(sizes)[:-1])


def counts(rows):
    return [segment.rows for segment in join_rows(rows)]


def test_rows_that_touch_everywhere_become_one_segment():
    rows = rows_of([adjacent([3, 4, 5]) for _ in range(3)])
    (segment,) = join_rows(rows)
    assert segment.rows == 3
    ((param, grad, state),) = segment.blocks
    for array, column in ((param, 0), (grad, 1), (state, 2)):
        np.testing.assert_array_equal(array, np.arange(12))
        assert all(np.shares_memory(array, row.arrays[column]) for row in rows)


@pytest.mark.parametrize("apart", [0, 1, 2])
def test_one_column_apart_ends_the_segment(apart):
    columns = [adjacent([3, 4]) for _ in range(3)]
    columns[apart] = [a.copy() for a in columns[apart]]
    assert counts(rows_of(columns)) == [1, 1]


def test_a_gap_ends_the_segment_because_it_may_belong_to_somebody():
    flat = np.arange(10.0)
    gapped = [flat[0:3], flat[4:8]]
    assert counts(rows_of([gapped, adjacent([3, 4]), adjacent([3, 4])])) == [1, 1]


def test_padding_of_a_layout_ends_a_segment_and_full_lines_do_not():
    arrays = [np.zeros(shape, np.float32) for shape in [(4, 8), (16,), (5,), (48,), (2, 8)]]
    assert counts(rows_of([flat_views(arrays) for _ in range(3)])) == [3, 2]


def test_other_order_other_age_and_neighbours_of_other_buffers_are_not_joined():
    columns = [adjacent([3, 4]) for _ in range(3)]
    assert counts(rows_of([column[::-1] for column in columns])) == [1, 1]
    assert counts(rows_of(columns, ages=[1, 2])) == [1, 1]
    assert counts(rows_of(columns, ages=[2, 2])) == [2]


def test_arrays_of_other_types_in_one_buffer_are_not_joined():
    raw = np.zeros(24, np.uint8)
    mixed = [raw[:8].view(np.float32), raw[8:].view(np.float64)]
    other = [np.zeros(2, np.float32), np.zeros(2)]
    assert counts(rows_of([mixed, other, other])) == [1, 1]
    assert counts(rows_of([mixed, mixed, mixed])) == [1, 1]


def test_views_of_raw_bytes_and_of_many_axes_are_joined():
    raw = np.zeros(40, np.uint8)
    views = [raw[:16].view(np.float32).reshape(2, 2), raw[16:].view(np.float32)]
    cube = np.zeros((2, 2, 3), np.float32)
    other = [cube[0, 0, :2], cube[0, 0, 2:]]
    assert counts(rows_of([views, views, views])) == [2]
    (segment,) = join_rows(rows_of([views, views, views]))
    segment.blocks[0][0][:] = 7
    assert (raw.view(np.float32) == 7).all()
    assert counts(rows_of([other, other, other])) == [2]


@settings(deadline=None)
@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=4))
def test_blocks_cover_each_element_once(sizes):
    rows = rows_of([adjacent(sizes, np.float64) for _ in range(3)])
    (segment,) = join_rows(rows)
    assert all(len(block[0]) == BLOCK for block in segment.blocks[:-1])
    assert all(len({array.shape for array in block}) == 1 for block in segment.blocks)
    joined = np.concatenate([block[0] for block in segment.blocks])
    np.testing.assert_array_equal(joined, np.arange(sum(sizes)))


@pytest.mark.parametrize(
    "strided",
    [
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a[::-1].copy()[::-1],
    ],
)
def test_strided_parameters_and_gradients_are_copied_in_and_out(strided):
    array = np.arange(12.0).reshape(3, 4)
    param, grad = strided(array), strided(array + 100)
    grad.flags.writeable = False
    (segment,) = join_rows([Row(param, grad, (), 1)])
    for _ in range(2):
        segment.load()
        ((p, g),) = segment.blocks
        np.testing.assert_array_equal(g, np.arange(12.0) + 100)
        p += g
        segment.store()
    np.testing.assert_array_equal(param, array + 2 * (array + 100))


def test_a_scalar_is_one_element():
    (segment,) = join_rows([Row(np.array(2.0), np.array(1.0), (), 1)])
    assert segment.blocks[0][0].shape == (1,)


def test_separate_rows_are_cut_where_the_blocks_of_their_flat_array_end():
    flat = np.zeros(3 * BLOCK)
    whole = flat[100 : 2 * BLOCK + 10]
    pieces = [whole[: BLOCK - 100], whole[BLOCK - 100 : 2 * BLOCK - 100], whole[2 * BLOCK - 100 :]]
    (segment,) = separate_rows([Row(whole, whole.copy(), (), 1)])
    sizes = [len(block[0]) for block in segment.blocks]
    assert sizes == [BLOCK - 100, BLOCK, 10] == [piece.size for piece in pieces]
    of_pieces = separate_rows([Row(piece, piece.copy(), (), 1) for piece in pieces])
    assert [len(s.blocks) for s in of_pieces] == [1, 1, 1]
    (alone,) = separate_rows([Row(whole.copy(), whole.copy(), (), 1)])
    assert [len(block[0]) for block in alone.blocks] == [BLOCK, BLOCK - 90]


def test_where_an_array_lies():
    flat = np.zeros(40, np.float32)
    assert offset_in_base(flat[8:24].reshape(4, 4)) == 8
    assert offset_in_base(flat[8:24][3:]) == 11
    assert offset_in_base(flat) == 0
    for elsewhere in (flat.view(np.int32)[8:], flat[8:24:2], flat.reshape(5, 8)[1:].T):
        assert offset_in_base(elsewhere) in (0, 8)
    assert offset_in_base(flat[8:24:2]) == 0
    assert offset_in_base(np.zeros((4, 4))[1:]) == 0
