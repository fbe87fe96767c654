"""Arrays of every kind come back from a file as they were; the library reads what is written."""

import json
import string

import numpy as np
import pytest
from helpers.halves import NEEDS_BFLOAT16, half
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from safetensors.numpy import load, save

from distgrad.backend import little_endian_bytes
from distgrad.training.checkpoint.tensor_file import read_arrays, stream_arrays

TYPES = [
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
]


def written(arrays) -> bytes:
    content = bytearray()
    stream_arrays(arrays, content.extend)
    return bytes(content)


def in_other_memory(array, layout: str):
    """The same values, lying in memory in another way."""
    if layout == "F":
        return np.asfortranarray(array) if array.ndim else array
    if layout == "strided":
        wide = np.empty((*array.shape, 3), array.dtype)
        wide[..., 1] = array
        return wide[..., 1]
    if layout == "reversed" and array.ndim:
        return array[::-1].copy()[::-1]
    return array


arrays = st.builds(
    in_other_memory,
    st.sampled_from(TYPES)
    .flatmap(lambda name: st.sampled_from("<>").map(np.dtype(name).newbyteorder))
    .flatmap(lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, min_side=0))),
    st.sampled_from(["C", "F", "strided", "reversed"]),
)
names = st.text(min_size=0, max_size=12).filter(lambda name: name != "__metadata__")


@NEEDS_BFLOAT16
def test_arrays_of_bfloat16_which_the_library_writes_but_does_not_read() -> None:
    array = np.linspace(-3, 3, 12, dtype=np.float32).astype(half("bf16")).reshape(3, 4)
    for part in (array, array.T, array[::2, 1], array[0, 0]):
        content = written({"x": part, "y": np.ones(2)})
        assert content == save({"x": np.array(part, order="C"), "y": np.ones(2)})
        found = read_arrays(content)
        assert (found["x"].dtype, found["x"].shape) == (half("bf16"), part.shape)
        assert found["x"].tolist() == part.tolist()


@given(st.dictionaries(names, arrays, max_size=6))
def test_what_the_library_reads_is_what_was_written(content) -> None:
    found = load(written(content))
    assert found.keys() == read_arrays(written(content)).keys() == content.keys()
    for name, array in read_arrays(written(content)).items():
        assert array.dtype == found[name].dtype
        np.testing.assert_array_equal(array, found[name])
    for name, array in content.items():
        assert (found[name].dtype.name, found[name].shape) == (array.dtype.name, array.shape)
        assert little_endian_bytes(found[name]) == little_endian_bytes(array)


@given(st.dictionaries(names, arrays, max_size=6))
def test_every_array_begins_at_a_multiple_of_its_item_size(content) -> None:
    text = written(content)
    length = int.from_bytes(text[:8], "little")
    header = json.loads(text[8 : 8 + length])
    assert (8 + length) % 8 == 0
    for name, array in content.items():
        assert header[name]["data_offsets"][0] % array.itemsize == 0


@given(st.dictionaries(st.sampled_from(string.ascii_letters), arrays, max_size=6), st.randoms())
def test_the_order_of_the_arrays_does_not_matter(content, random) -> None:
    shuffled = list(content.items())
    random.shuffle(shuffled)
    assert written(dict(shuffled)) == written(content)


def test_shapes_are_logical() -> None:
    found = load(written({"w": np.arange(6.0).reshape(2, 3).T, "calls": np.array(7)}))
    assert found["w"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found["calls"].shape == ()


@pytest.mark.parametrize("dtype", ["complex64", "U3", "object", "datetime64[s]"])
def test_other_types_are_refused(dtype: str) -> None:
    with pytest.raises(TypeError, match=r"the array 'x' has the data type .+, which a checkpoint "):
        written({"x": np.zeros(2, dtype)})


def test_the_name_that_the_format_keeps_for_itself() -> None:
    with pytest.raises(ValueError, match="cannot be named '__metadata__'"):
        written({"__metadata__": np.zeros(2)})
