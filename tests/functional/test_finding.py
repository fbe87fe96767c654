"""Places and distinct elements: against NumPy, by hand, and against PyTorch."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import distgrad as dg

ARRAYS = arrays(
    np.int64, array_shapes(max_dims=3, max_side=4, min_side=0), elements=st.integers(0, 2)
)


def parts(result: Any) -> list[Any]:
    return [np.asarray(x.data) for x in (result if isinstance(result, tuple) else (result,))]


@given(ARRAYS)
def test_places(array: np.ndarray) -> None:
    x = dg.tensor(array)
    np.testing.assert_array_equal(dg.nonzero(x).data, np.argwhere(array))
    np.testing.assert_array_equal(x.argwhere().data, np.argwhere(array))
    for mine, expected in zip(x.nonzero(as_tuple=True), np.nonzero(array), strict=True):
        np.testing.assert_array_equal(mine.data, expected)


def test_places_of_a_number() -> None:
    assert dg.tensor(2.0).nonzero().shape == (1, 0)
    assert dg.tensor(0.0).argwhere().shape == (0, 0)
    assert [x.tolist() for x in dg.tensor(2.0).nonzero(as_tuple=True)] == [[0]]


@given(ARRAYS)
def test_distinct_elements(array: np.ndarray) -> None:
    mine = dg.unique(dg.tensor(array), return_inverse=True, return_counts=True)
    values, inverse, counts = np.unique(array, return_inverse=True, return_counts=True)
    for a, b in zip(parts(mine), (values, inverse.reshape(array.shape), counts), strict=True):
        np.testing.assert_array_equal(a, b)


@given(ARRAYS)
def test_runs_are_what_they_were_made_of(array: np.ndarray) -> None:
    x = dg.tensor(array)
    values, inverse, counts = parts(x.unique_consecutive(True, True))
    np.testing.assert_array_equal(values[inverse], array)
    np.testing.assert_array_equal(np.repeat(values, counts), array.reshape(-1))
    assert (values[1:] != values[:-1]).all()


def test_each_nan_is_distinct() -> None:
    x = dg.tensor([float("nan"), 1.0, float("nan")])
    assert [len(part) for part in parts(x.unique(return_counts=True))] == [3, 3]
    assert len(x.unique_consecutive()) == 3


@pytest.mark.parametrize("dim", [None, 0, 1, -1])
def test_against_pytorch(dim: int | None) -> None:
    torch = pytest.importorskip("torch")
    array = np.array([[1, 1, 2, 1], [1, 1, 2, 1], [0, 0, 3, 0]])
    for name in ("unique", "unique_consecutive"):
        mine, other = (
            getattr(m, name)(m.tensor(array), return_inverse=True, return_counts=True, dim=dim)
            for m in (dg, torch)
        )
        for a, b in zip(parts(mine), other, strict=True):
            np.testing.assert_array_equal(a, b.numpy())
