"""All choices of elements, and powers."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.autograd import gradcheck, gradgradcheck

LENGTHS = st.lists(st.integers(0, 3), min_size=1, max_size=3)


@given(LENGTHS)
def test_cartesian_prod(lengths) -> None:
    vectors = [np.arange(length) + 10 * i for i, length in enumerate(lengths)]
    found = dg.cartesian_prod(*map(dg.Tensor, vectors))
    expected = np.array([*itertools.product(*vectors)], np.int64).reshape(-1, len(vectors))
    np.testing.assert_array_equal(found.data, expected if len(vectors) > 1 else vectors[0])


@given(st.integers(0, 5), st.integers(0, 4), st.booleans())
def test_combinations(length, r, with_replacement) -> None:
    name = "combinations_with_replacement" if with_replacement else "combinations"
    found = dg.combinations(dg.arange(length), r, with_replacement)
    assert found.dtype == np.int64
    if r == 0:
        assert found.shape == (0,)
    else:
        expected = [*getattr(itertools, name)(range(length), r)]
        assert found.shape == (len(expected), r)
        assert found.tolist() == [[*row] for row in expected]


@given(st.integers(0, 4), st.none() | st.integers(0, 5), st.booleans())
def test_vander(length, count, increasing) -> None:
    x = np.arange(length) - 1.5
    found = dg.vander(dg.Tensor(x), count, increasing)
    np.testing.assert_allclose(found.data, np.vander(x, count, increasing))
    assert found.dtype == np.float64


def test_vander_of_other_types() -> None:
    for dtype in (dg.int8, dg.uint8, bool, dg.int64):
        assert dg.vander(dg.ones(2, dtype=dtype), 3).dtype == np.int64
    assert dg.vander(dg.ones(2), 3).dtype == np.float32


def test_gradients() -> None:
    x = dg.tensor([1.5, -2.0, 0.0], dtype=dg.float64, requires_grad=True)
    y = dg.tensor([0.5, 3.0], dtype=dg.float64, requires_grad=True)
    for run, inputs in (
        (dg.cartesian_prod, (x, y)),
        (dg.combinations, (x,)),
        (lambda x: dg.combinations(x, 3, True), (x,)),
        (dg.vander, (x,)),
        (lambda x: dg.vander(x, 5, True), (x,)),
    ):
        assert gradcheck(run, inputs)
        assert gradgradcheck(run, inputs)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (dg.cartesian_prod, r"takes vectors, at least one, got shapes \[\]"),
        (lambda: dg.cartesian_prod(dg.ones(2), dg.ones(2, 2)), r"\[\(2,\), \(2, 2\)\]"),
        (lambda: dg.combinations(dg.ones(2, 2)), r"takes a vector.*\(2, 2\) and r=2"),
        (lambda: dg.combinations(dg.ones(2), -1), r"r of 0 or more.*r=-1"),
        (lambda: dg.vander(dg.ones(2, 2)), r"vander\(\) takes a vector.*\(2, 2\)"),
        (lambda: dg.vander(dg.ones(2), -1), r"N of 0 or more.*N=-1"),
    ],
)
def test_errors(run, message) -> None:
    with pytest.raises(RuntimeError, match=message):
        run()
