import datetime
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.training.toml import dumps, format_value

values = st.recursive(
    st.text() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), values))
def test_what_is_written_reads_back(document):
    assert tomllib.loads(dumps(document)) == document


def test_none_has_no_toml_and_is_left_out():
    assert tomllib.loads(dumps({"a": None, "b": {"c": None, "d": 1}})) == {"b": {"d": 1}}


def test_tuples_are_arrays():
    assert format_value((0.9, 0.999)) == "[0.9, 0.999]"


def test_a_value_without_toml_is_refused():
    with pytest.raises(TypeError, match=r"no value for datetime\.date.* of type date"):
        format_value(datetime.date(2000, 1, 1))
