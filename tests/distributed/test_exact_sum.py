import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.distributed.exact_sum import ExactSum

finite = st.floats(allow_nan=False, allow_infinity=False)
moderate = st.floats(-1e300, 1e300)


def sent(total):
    data = total.to_bytes()
    assert len(data) == ExactSum.SIZE
    return ExactSum.from_bytes(data)


@given(st.lists(moderate, max_size=30))
def test_is_the_exact_sum_rounded_once(values):
    assert ExactSum(values).value == float(sum(map(Fraction, values)))
    assert ExactSum(values).value == math.fsum(values)


@given(st.lists(finite, max_size=30), st.integers(0, 30), st.randoms())
def test_any_order_and_any_division_give_the_same_value(values, cut, random):
    expected = ExactSum(values).value
    random.shuffle(values)
    total = ExactSum(values[:cut])
    total.merge(sent(ExactSum(values[cut:])))
    assert total.value == expected


def test_of_nothing_is_zero():
    assert ExactSum().value == 0.0
    assert sent(ExactSum()).value == 0.0


@pytest.mark.parametrize("value", [5e-324, -5e-324, 2.2e-308, 1.7976931348623157e308, 0.1, -3.0])
def test_keeps_every_kind_of_float(value):
    assert sent(ExactSum([value])).value == value


def test_more_than_the_largest_float_is_infinite_and_can_come_back():
    largest = 1.7976931348623157e308
    assert ExactSum([largest, largest]).value == math.inf
    assert ExactSum([-largest, -largest]).value == -math.inf
    assert sent(ExactSum([largest] * 1000 + [-largest] * 999)).value == largest


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([math.inf, 1.0, math.inf], math.inf),
        ([-math.inf, 1.0], -math.inf),
        ([math.inf, -math.inf], math.nan),
        ([math.nan, 1.0], math.nan),
        ([math.inf, math.nan], math.nan),
    ],
)
def test_what_is_not_finite_stays_so(values, expected):
    merged = ExactSum(values[:1])
    merged.merge(sent(ExactSum(values[1:])))
    assert merged.value == pytest.approx(expected, nan_ok=True)


def test_can_be_pickled():
    assert pickle.loads(pickle.dumps(ExactSum([1e100, 1.0]))).value == 1e100


@given(st.lists(finite, max_size=40), st.integers(0, 40))
def test_an_array_is_added_element_by_element(values, cut):
    total = ExactSum()
    total.add_all(np.array(values[:cut]))
    total.add_all(np.array(values[cut:]).reshape(1, -1))
    assert total.exact == sum(map(Fraction, values))


def test_arrays_of_other_types_and_of_more_than_a_chunk():
    total = ExactSum()
    total.add_all(np.array([True, False, True]))
    total.add_all(np.arange(-5, 3))
    total.add_all(np.full(2**20 + 3, 0.1, np.float32))
    assert total.exact == 2 - 12 + (2**20 + 3) * Fraction(float(np.float32(0.1)))


def test_an_array_that_is_not_finite_makes_a_sum_that_is_not():
    total = ExactSum()
    total.add_all(np.array([1.0, math.inf, 2.0]))
    assert total.value == total.exact == math.inf
    total.add_all(np.array([-math.inf]))
    assert math.isnan(total.exact)
