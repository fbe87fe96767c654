from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest

import distgrad as dg
from distgrad.data import default_collate, default_convert


class Pair(NamedTuple):
    x: object
    y: object


NUMBERS = [
    ([1.0, 2.5], np.float64),
    ([1, 2], np.int64),
    ([True, False], np.bool_),
    ([1, True], np.int64),
    ([2.5, 1], np.float64),
    ([np.float32(1), np.float32(2)], np.float32),
    ([np.float64(1), np.float64(2)], np.float64),
    ([np.int32(1), np.int32(2)], np.int32),
    ([np.bool_(True), np.bool_(False)], np.bool_),
]
ARRAYS = [
    ([np.float32([1, 2]), np.float32([3, 4])], np.float32),
    ([np.int8([1, 2]), np.int8([3, 4])], np.int8),
    ([np.float32([1, 2]), np.float64([3, 4])], np.float64),
    ([np.int64([1, 2]), np.float32([3, 4])], np.float32),
]


@pytest.mark.parametrize(("samples", "dtype"), NUMBERS + ARRAYS)
def test_leaves_are_stacked_with_their_type(samples, dtype):
    batch = default_collate(samples)
    assert isinstance(batch, dg.Tensor)
    assert batch.dtype == dtype
    np.testing.assert_array_equal(batch.data, np.stack(samples))


@pytest.mark.parametrize(("samples", "dtype"), NUMBERS + ARRAYS)
def test_leaves_equal_those_of_torch(samples, dtype):
    torch_data = pytest.importorskip("torch.utils.data")
    expected = torch_data.default_collate(samples).numpy()
    assert default_collate(samples).dtype == expected.dtype
    np.testing.assert_array_equal(default_collate(samples).data, expected)


def test_tensors_and_arrays_mix_and_the_batch_is_a_copy():
    array = np.zeros(2, np.float32)
    batch = default_collate([dg.Tensor(array), array])
    array[:] = 1
    assert batch.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("text", ["a", b"a"])
def test_text_stays_a_list(text):
    assert default_collate([text, text]) == [text, text]


def test_containers_keep_their_type():
    batch = default_collate([Pair((1, [2]), {"a": 3}), Pair((4, [5]), {"a": 6})])
    assert type(batch) is Pair
    assert type(batch.x) is tuple
    assert type(batch.x[1]) is list
    assert type(batch.y) is dict
    assert batch.x[0].tolist() == [1, 4]
    assert batch.x[1][0].tolist() == [2, 5]
    assert batch.y["a"].tolist() == [3, 6]


def test_keys_may_come_in_any_order():
    batch = default_collate([{"a": 1, "b": 2}, {"b": 4, "a": 3}])
    assert list(batch) == ["a", "b"]
    assert batch["a"].tolist() == [1, 3]


@pytest.mark.parametrize("empty", [(), []])
def test_an_empty_container_stays_empty(empty):
    assert default_collate([empty, empty]) == empty


WAY_OUT = "convert or pad it in the dataset, or pass DataLoader a collate_fn"


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "cannot collate an empty list: a batch needs at least 1 sample"),
        (
            [Pair(np.zeros(3), 0), Pair(np.zeros(3), 0), Pair(np.zeros(4), 0)],
            "cannot collate sample.x: shape (3,) in sample 0 and shape (4,) in sample 2 of the "
            "batch; " + WAY_OUT,
        ),
        (
            [{"a": [(1, 2)]}, {"a": [(1, 2, 3)]}],
            "cannot collate sample['a'][0]: tuple of length 2 in sample 0 and tuple of length 3 in "
            "sample 1 of the batch; " + WAY_OUT,
        ),
        (
            [{"b": 1, "a": 1}, {"a": 1}],
            "cannot collate sample: dict with keys ['a', 'b'] in sample 0 and dict with keys ['a'] "
            "in sample 1 of the batch; " + WAY_OUT,
        ),
        (
            [Pair(1, 2), (1, 2)],
            "cannot collate sample: Pair with fields ('x', 'y') in sample 0 and tuple of length 2",
        ),
        ([(1,), 1], "cannot collate sample: tuple of length 1 in sample 0 and int in sample 1"),
        ([{"a": 1}, OrderedDict(a=1)], "dict with keys ['a'] in sample 0 and OrderedDict"),
        ([np.zeros(3), 1.0], "cannot collate sample: shape (3,) in sample 0 and shape () in"),
    ],
)
def test_samples_that_differ_are_refused(samples, message):
    with pytest.raises(ValueError) as caught:
        default_collate(samples)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([(1, None)], "cannot collate sample[1]: NoneType is none of array, Tensor, number, "),
        ([1, (1,)], "cannot collate sample: tuple is none of array"),
        (["a", 1], "cannot collate sample: str is none of array"),
        ([np.array(["a"])], "cannot collate sample: <U1 is not a number type; " + WAY_OUT),
        ([2**70], "cannot collate sample: object is not a number type"),
    ],
)
def test_values_that_cannot_be_stacked_are_refused(samples, message):
    with pytest.raises(TypeError) as caught:
        default_collate(samples)
    assert message in str(caught.value)


def test_convert_wraps_numeric_arrays_only():
    array, words = np.arange(3), np.array(["a"])
    tensor = dg.Tensor(array)
    sample = {"x": array, "s": np.float32(2), "rest": [words, tensor, 1, 0.5, "text", None]}
    converted = default_convert(sample)
    assert converted["x"].data is array
    assert converted["s"].dtype == np.float32
    assert converted["s"].shape == ()
    for before, after in zip(sample["rest"], converted["rest"], strict=True):
        assert after is before


def test_convert_keeps_named_tuples():
    assert type(default_convert(Pair(np.zeros(2), 1))) is Pair
