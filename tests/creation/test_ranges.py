"""Equally spaced numbers, and patterns of a matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg


def test_arange() -> None:
    assert dg.arange(3).tolist() == [0, 1, 2]
    assert dg.arange(3).dtype == np.int64
    assert dg.arange(1.0, 2.0, 0.25).tolist() == [1, 1.25, 1.5, 1.75]
    assert dg.arange(3.0).dtype == dg.arange(np.float32(3)).dtype == np.float32
    assert dg.arange(dg.tensor(3)).dtype == np.int64
    assert dg.arange(5, 0, -2).tolist() == [5, 3, 1]
    assert dg.arange(2, 2).shape == (0,)
    assert dg.arange(3, dtype=dg.float64, requires_grad=True).requires_grad
    assert dg.arange(0.5, 5, 1.5, dtype=dg.int64).tolist() == [0, 1, 2, 3, 4]
    assert dg.arange(258, dtype=dg.uint8)[-2:].tolist() == [0, 1]
    assert dg.arange(2.5, -2, -1.5, dtype=dg.uint8).tolist() == [2, 1, 0]


@pytest.mark.parametrize("bounds", [(0, 3, 0), (0, 3, -1), (3, 0), (0, np.inf), (np.nan, 0)])
def test_ranges_that_are_none(bounds) -> None:
    with pytest.raises(RuntimeError, match=r"arange\(\) goes from start to end.*got start="):
        dg.arange(*bounds)


@given(
    start=st.floats(-1e3, 1e3),
    length=st.floats(0, 1e3),
    step=st.floats(0.5, 1e2),
    down=st.booleans(),
)
def test_arange_stays_inside(start, length, step, down) -> None:
    end, step = (start - length, -step) if down else (start + length, step)
    values = dg.arange(start, end, step, dtype=dg.float64).data
    np.testing.assert_array_equal(values, start + step * np.arange(len(values)))
    assert len(values) == np.ceil((end - start) / step)


def test_linspace() -> None:
    assert dg.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert dg.linspace(0, 1, 5).dtype == np.float32
    assert dg.linspace(3, 5, 1).tolist() == [3]
    assert dg.linspace(3, 5, 0).shape == (0,)
    assert dg.linspace(0, 10, 5, dtype=dg.int64).tolist() == [0, 2, 5, 7, 10]
    assert dg.linspace(dg.tensor(0), dg.tensor(1.0), 3).tolist() == [0, 0.5, 1]
    assert dg.linspace(0, 1, 2, requires_grad=True).requires_grad


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(2, 50))
def test_linspace_is_the_same_from_both_ends(start, end, steps) -> None:
    values = dg.linspace(start, end, steps, dtype=dg.float64).data
    assert (values[0], values[-1]) == (start, end)
    if steps % 2 == 0:
        np.testing.assert_array_equal(
            values, dg.linspace(end, start, steps, dtype=dg.float64).data[::-1]
        )
    np.testing.assert_allclose(values, np.linspace(start, end, steps), atol=1e-9)


def test_logspace() -> None:
    assert dg.logspace(0, 2, 3).tolist() == [1, 10, 100]
    assert dg.logspace(0, 3, 4, base=2).tolist() == [1, 2, 4, 8]
    assert dg.logspace(-3.3, 3.8, 3, dtype=dg.int64).tolist() == [0, 1, 1000]
    assert np.isnan(dg.logspace(0, 1, 3, base=-2).data[1])


@pytest.mark.parametrize("make", [dg.linspace, dg.logspace])
def test_steps(make) -> None:
    with pytest.raises(RuntimeError, match=rf"{make.__name__}\(\) makes steps=0, 1 or more.*-1"):
        make(0, 1, -1)
    with pytest.raises(TypeError, match=r"steps must be an integer, got 2\.5"):
        make(0, 1, 2.5)
    with pytest.raises(RuntimeError, match="300 does not fit uint8"):
        make(0, 300, 3, dtype=dg.uint8)


@pytest.mark.parametrize(
    "make", [dg.arange, lambda *given, **named: dg.linspace(*given, 2, **named)]
)
def test_ranges_are_of_numbers(make) -> None:
    with pytest.raises(TypeError, match=r"\(\) makes numbers, not truth values"):
        make(0, 1, dtype=bool)
    for bound in ("a", dg.ones(1), None):
        with pytest.raises(TypeError, match="a range is given by numbers, or Tensors of no axes"):
            make(bound, 1)


def test_eye() -> None:
    np.testing.assert_array_equal(dg.eye(2, 3).data, np.eye(2, 3))
    assert dg.eye(2, 0).shape == (2, 0)
    assert dg.eye(2).dtype == np.float32
    assert dg.eye(2, dtype=dg.int32).dtype == np.int32
    assert dg.eye(2, requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match=r"sizes must not be negative, got \(-1, -1\)"):
        dg.eye(-1)


@given(st.integers(0, 5), st.integers(0, 5), st.integers(-6, 6))
def test_indices_of_triangles(rows, columns, offset) -> None:
    matrix = np.arange(1, rows * columns + 1).reshape(rows, columns)
    for indices, part in ((dg.tril_indices, np.tril), (dg.triu_indices, np.triu)):
        found = indices(rows, columns, offset)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found.data, part(matrix, offset).nonzero())


def test_indices_are_integers() -> None:
    assert dg.tril_indices(2, 2, dtype=dg.int32).dtype == np.int32
    with pytest.raises(TypeError, match="indices are int32 or int64, not float32"):
        dg.triu_indices(2, 2, dtype=dg.float32)
    with pytest.raises(RuntimeError, match="not be negative"):
        dg.tril_indices(-1, 2)
