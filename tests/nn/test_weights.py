import json

import numpy as np
import pytest
from helpers.halves import NEEDS_BFLOAT16
from safetensors.numpy import load_file, save_file

import distgrad as dg
from distgrad import nn


def tied():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4), nn.Linear(4, 5, bias=False))
    model[2].weight = model[0].weight
    return model


def arrays(module):
    return {name: value.data.copy() for name, value in module.state_dict().items()}


def test_there_and_back(tmp_path):
    source = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    source[1].num_batches_tracked.fill_(7)
    source[0].weight.data = np.asfortranarray(source[0].weight.data)
    nn.save_weights(source, str(tmp_path / "w.safetensors"))
    assert nn.load_weights(other, str(tmp_path / "w.safetensors")) == ([], [])
    for name, value in arrays(source).items():
        np.testing.assert_array_equal(arrays(other)[name], value)
    assert load_file(tmp_path / "w.safetensors")["1.num_batches_tracked"].shape == ()


def test_equal_models_have_equal_files(tmp_path):
    model = tied()
    for name in ("a", "b"):
        nn.save_weights(model, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_without_elements(tmp_path):
    layer = nn.Linear(0, 2)
    nn.save_weights(layer, tmp_path / "w")
    nn.load_weights(layer, tmp_path / "w")
    assert layer.weight.shape == (2, 0)


@pytest.mark.parametrize("once", [False, True])
def test_shared_weights(once, tmp_path):
    source, other = tied(), tied()
    nn.save_weights(source, tmp_path / "w", remove_duplicate=once)
    names = ["0.weight", "1.bias", "1.weight", *(() if once else ["2.weight"])]
    assert sorted(load_file(tmp_path / "w")) == names
    assert nn.load_weights(other, tmp_path / "w") == ([], [])
    assert other[2].weight is other[0].weight
    np.testing.assert_array_equal(other[0].weight.data, source[0].weight.data)


def test_shared_weights_under_the_last_name_only(tmp_path):
    state = arrays(tied())
    del state["0.weight"]
    save_file(state, tmp_path / "w")
    other = tied()
    nn.load_weights(other, tmp_path / "w")
    np.testing.assert_array_equal(other[0].weight.data, state["2.weight"])
    with pytest.raises(RuntimeError, match=r'missing: "0\.weight"'):
        other.load_state_dict(state)


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_values_take_the_data_type_of_the_module(dtype, tmp_path):
    source = nn.Linear(3, 2).to(dtype=dtype)
    nn.save_weights(source, tmp_path / "w")
    assert load_file(tmp_path / "w")["weight"].dtype == dtype
    other = nn.Linear(3, 2)
    nn.load_weights(other, tmp_path / "w")
    assert other.weight.dtype == np.float32
    np.testing.assert_array_equal(other.weight.data, source.weight.data.astype(np.float32))
    other.to(dtype=dtype)
    nn.load_weights(other, tmp_path / "w")
    np.testing.assert_array_equal(other.weight.data, source.weight.data)


def test_not_strict(tmp_path):
    nn.save_weights(nn.Linear(3, 2), tmp_path / "w")
    report = nn.load_weights(nn.Sequential(nn.Linear(3, 2)), tmp_path / "w", strict=False)
    assert report == (["0.weight", "0.bias"], ["bias", "weight"])


def by_hand(path, dtype, size):
    header = {"weight": {"dtype": dtype, "shape": [2], "data_offsets": [0, size]}}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(range(size)))


@NEEDS_BFLOAT16
def test_a_layer_of_bfloat16_goes_into_a_file_and_back(tmp_path):
    layer, path = nn.Linear(3, 2).bfloat16(), tmp_path / "w"
    nn.save_weights(layer, path)
    for other in (nn.Linear(3, 2).bfloat16(), nn.Linear(3, 2)):
        dtype = other.weight.dtype
        nn.load_weights(other, path)
        assert other.weight.dtype == dtype
        assert other.weight.tolist() == layer.weight.tolist()


def test_bfloat16_is_the_upper_half_of_float32(tmp_path):
    by_hand(tmp_path / "w", "BF16", 4)
    module = nn.Module()
    module.weight = nn.Parameter(dg.zeros(2))
    nn.load_weights(module, tmp_path / "w")
    expected = np.frombuffer(bytes([0, 0, 0, 1, 0, 0, 2, 3]), "<f4")
    np.testing.assert_array_equal(module.weight.data, expected)


def test_files_that_cannot_be_read(tmp_path):
    layer, path = nn.Linear(3, 2), tmp_path / "w"
    before = arrays(layer)
    with pytest.raises(FileNotFoundError):
        nn.load_weights(layer, path)
    path.write_bytes(b"no such format")
    with pytest.raises(ValueError, match=r"w is not a file in the safetensors format \("):
        nn.load_weights(layer, path)
    by_hand(path, "F8_E4M3", 2)
    with pytest.raises(ValueError, match="has 'weight' in the data type F8_E4M3, which NumPy does"):
        nn.load_weights(layer, path)
    by_hand(path, "F32", 8)
    with pytest.raises(
        RuntimeError, match=r'does not fit Linear; nothing was loaded\n  missing: "b'
    ):
        nn.load_weights(layer, path)
    for name, value in arrays(layer).items():
        np.testing.assert_array_equal(value, before[name])
