import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.training.packing import pack, unpack

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
keys = st.text(max_size=3) | st.integers() | st.just("$tuple")
trees = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)


def back(value):
    """What comes back through JSON text."""
    packed, arrays = pack(value, "state")
    return unpack(json.loads(json.dumps(packed, allow_nan=False)), arrays)


def same(a, b):
    """Equal, of the same types, and not a number where the other is none."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return math.copysign(1, a) == math.copysign(1, b) and (a == b or (a != a and b != b))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b


@given(trees)
def test_what_was_packed_comes_back_as_it_was(value):
    # The sign of a NaN is nobody's.
    assert same(back(value), value) or "nan" in repr(value)


@pytest.mark.parametrize("value", [math.inf, -math.inf, -0.0, 0.1, 5e-324, 2**70, True, 1, "ä"])
def test_numbers(value):
    assert same(back(value), value)


def test_not_a_number():
    assert math.isnan(back({"loss": math.nan})["loss"])


@pytest.mark.parametrize("scalar", [np.float64(0.1), np.float32(0.1), np.int64(3), np.bool_(True)])
def test_numpys_scalars_keep_their_type(scalar):
    """A step size of type float64 would make the product with a float32 array a float64 one."""
    found = back({"lr": scalar})["lr"]
    assert type(found) is type(scalar)
    assert found == scalar


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_arrays_and_tensors(shape):
    array = np.random.default_rng(0).random(shape).astype(np.float32)
    found = back({"array": array, "tensor": dg.Tensor(array)})
    assert isinstance(found["tensor"], dg.Tensor)
    for value in (found["array"], found["tensor"].data):
        assert (value.dtype, value.shape) == (array.dtype, array.shape)
        assert value.tobytes() == array.tobytes()


def test_arrays_are_named_by_where_they_are():
    state = {"state": {0: {"exp_avg": dg.ones(1)}}, "history": [np.ones(2), (np.ones(3),)]}
    _, arrays = pack(state, "optimizer")
    assert list(arrays) == [
        "optimizer.state.0.exp_avg",
        "optimizer.history.0",
        "optimizer.history.1.0",
    ]


def test_two_arrays_never_share_a_name():
    value = {"a.b": np.zeros(1), "a": {"b": np.ones(1)}, 0: np.full(1, 2), "0": np.full(1, 3)}
    packed, arrays = pack(value, "s")
    assert len(arrays) == 4
    assert unpack(packed, arrays) == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"rule": abs}, "optimizer.rule is of type builtin_function_or_method, which a checkpoint"),
        ({"seen": [1, {2}]}, "optimizer.seen.1 is of type set, which a checkpoint cannot hold"),
        (b"x", "optimizer is of type bytes, which a checkpoint cannot hold; keep numbers, strings"),
    ],
)
def test_what_cannot_be_saved_is_named(value, message):
    with pytest.raises(TypeError) as raised:
        pack(value, "optimizer")
    assert str(raised.value).startswith(message)
