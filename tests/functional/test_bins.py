"""Bounds and counts, against NumPy."""

import numpy as np
import pytest
from helpers.halves import PRECISIONS, half
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg

NUMBERS = st.lists(st.integers(-5, 5), max_size=8)


@given(NUMBERS, NUMBERS, st.booleans(), st.sampled_from([dg.float32, dg.int64, dg.uint8]))
def test_searchsorted(sequence, values, right, dtype) -> None:
    sequence = np.sort(np.abs(sequence)).astype(dtype)
    values = np.abs(values).astype(dtype)
    expected = np.searchsorted(sequence, values, "right" if right else "left")
    found = dg.searchsorted(dg.Tensor(sequence), dg.Tensor(values), right=right)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found.data, expected)
    np.testing.assert_array_equal(
        dg.bucketize(dg.Tensor(values), dg.Tensor(sequence), right=right).data, expected
    )
    rows = dg.searchsorted(
        dg.Tensor(np.stack([sequence, sequence + 1])),
        dg.Tensor(np.stack([values] * 2)),
        right=right,
    )
    np.testing.assert_array_equal(rows.data[0], expected)
    np.testing.assert_array_equal(
        rows.data[1], np.searchsorted(sequence + 1, values, "right" if right else "left")
    )


def test_searchsorted_options() -> None:
    sequence = dg.tensor([3, 1, 5])
    order = dg.tensor([1, 0, 2])
    assert dg.searchsorted(sequence, dg.tensor([3, 6]), sorter=order).tolist() == [1, 3]
    rows = dg.searchsorted(sequence[None], dg.tensor([[3, 6]]), sorter=order[None], side="right")
    assert rows.tolist() == [[2, 3]]
    assert dg.searchsorted(dg.tensor([1.0, 3.0]), 2).tolist() == 1
    assert dg.searchsorted(dg.tensor([1, 3]), 3, right=True, out_int32=True).dtype == np.int32
    assert dg.searchsorted(dg.tensor([1, 3]), dg.tensor([[1, 4]])).tolist() == [[0, 2]]
    assert dg.searchsorted(dg.tensor([1.0]), dg.tensor([np.nan])).tolist() == [1]
    assert dg.searchsorted(dg.zeros(2, 0), dg.zeros(2, 3)).tolist() == [[0] * 3] * 2
    assert dg.searchsorted(dg.zeros(2, 3), dg.zeros(2, 0)).shape == (2, 0)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (
            lambda: dg.searchsorted(dg.ones(2), dg.arange(2)),
            "one data type, got float32 and int64",
        ),
        (lambda: dg.searchsorted(dg.ones(2, 3), dg.ones(3, 3)), r"got \(2, 3\) and \(3, 3\)"),
        (lambda: dg.searchsorted(dg.ones(()), dg.ones(3)), r"got \(\) and \(3,\)"),
        (lambda: dg.searchsorted(dg.ones(2), 1.0, right=True, side="left"), "side must be 'left'"),
        (lambda: dg.searchsorted(dg.ones(2), 1.0, side="up"), "side must be 'left'.*got 'up'"),
        (lambda: dg.searchsorted(dg.ones(2), 1.0, sorter=dg.arange(3)), "int64 and of the seq"),
        (lambda: dg.searchsorted(dg.ones(2), 1.0, sorter=dg.ones(2)), "got float32"),
        (lambda: dg.searchsorted(dg.ones(2), 1.0, sorter=dg.tensor([0, 2])), "0 to 1, got 0 to 2"),
        (lambda: dg.bucketize(1.0, dg.ones(2, 2)), r"boundaries along one axis, got \(2, 2\)"),
        (lambda: dg.bincount(dg.tensor([-1])), "none of them negative"),
        (lambda: dg.bincount(dg.ones(2)), r"got float32 of shape \(2,\)"),
        (lambda: dg.bincount(dg.ones(2, 2, dtype=dg.int64)), r"along one axis.*\(2, 2\)"),
        (lambda: dg.bincount(dg.arange(2), dg.ones(3)), r"shape \(2,\) and.*got \(3,\) and 0"),
        (
            lambda: dg.bincount(dg.arange(2), minlength=-1),
            "minlength of 0 or more, got None and -1",
        ),
        (lambda: dg.histc(dg.ones(2), bins=0), "1 bin or more, got float32 and bins=0"),
        (lambda: dg.histc(dg.arange(2)), "floating-point numbers.*got int64"),
        (lambda: dg.histc(dg.ones(2), min=2, max=1), "first below the second, got 2.0 and 1.0"),
        (lambda: dg.histc(dg.tensor([np.inf, 1])), "finite bounds"),
        (lambda: dg.histc(dg.tensor([np.nan, 1])), "finite bounds.*got nan"),
    ],
)
def test_errors(run, message) -> None:
    with pytest.raises(RuntimeError, match=message):
        run()


@given(st.lists(st.integers(0, 9), max_size=20), st.integers(0, 15))
def test_bincount(values, minlength) -> None:
    x = dg.tensor(values, dtype=dg.int32)
    found = dg.bincount(x, minlength=minlength)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found.data, np.bincount(x.data, minlength=minlength))
    for dtype, wanted in ((dg.float32, dg.float32), (dg.int64, dg.float64)):
        weights = dg.arange(len(values), dtype=dtype)
        weighed = x.bincount(weights, minlength)
        assert weighed.dtype == wanted
        np.testing.assert_array_equal(
            weighed.data, np.bincount(x.data, weights.data, minlength).astype(wanted)
        )


@given(st.lists(st.floats(-10, 10, width=32), max_size=30), st.integers(1, 12))
def test_histc(values, bins) -> None:
    x = dg.tensor(values, dtype=dg.float64)
    found = dg.histc(x, bins, -4, 5)
    assert found.dtype == np.float64
    inside = sum(-4 <= value <= 5 for value in values)
    assert found.sum().item() == inside
    assert (found.data >= 0).all()
    assert dg.histc(x, bins).sum().item() == len(values)


def test_histc_edges() -> None:
    assert dg.histc(dg.tensor([0.0, 1, 2, 3]), bins=3, min=0, max=3).tolist() == [1, 1, 2]
    assert dg.histc(dg.tensor([2.0, 2.0]), bins=2).tolist() == [0, 2]
    assert dg.histc(dg.zeros(0), bins=2).tolist() == [0, 0]
    assert dg.tensor([[1.0, 2], [3, 4]]).histc(2).tolist() == [2, 2]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_histc_of_16_bits_finds_the_places_in_float32(precision) -> None:
    x = dg.Tensor(np.linspace(0, 1, 999).astype(half(precision)))
    found = x.histc(97)
    assert found.dtype == x.dtype
    assert found.tolist() == x.float().histc(97).tolist()
