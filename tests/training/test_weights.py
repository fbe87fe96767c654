import hashlib
import json
import struct

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn
from distgrad.errors import UsageError
from distgrad.training.weights import load_weights, weights_bytes, weights_sha256


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(dg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
        self.register_buffer("calls", dg.tensor(7))
        self.bias = nn.Parameter(dg.tensor([-1.0, 0.5]))


def test_the_hash_is_that_of_names_types_shapes_and_little_endian_values():
    reference = hashlib.sha256(
        b"bias float32 (2,)\n"
        + struct.pack("<2f", -1.0, 0.5)
        + b"calls int64 ()\n"
        + struct.pack("<q", 7)
        + b"weight float32 (2, 3)\n"
        + struct.pack("<6f", 1, 2, 3, 4, 5, 6)
    )
    assert weights_sha256(Model()) == reference.hexdigest()


def test_the_hash_does_not_depend_on_memory():
    model, other = Model(), Model()
    other.weight.data = np.asfortranarray(other.weight.data)
    other.bias.data = other.bias.data.astype(">f4")
    assert weights_sha256(other) == weights_sha256(model)


def test_the_hash_depends_on_every_value_name_and_shape():
    seen = {weights_sha256(Model())}
    for change in (
        lambda m: m.bias.data.__setitem__(0, -2.0),
        lambda m: m.calls.data.__setitem__((), 8),
        lambda m: setattr(m.weight, "data", m.weight.data.reshape(3, 2)),
        lambda m: setattr(m, "more", nn.Parameter(dg.zeros(0))),
    ):
        model = Model()
        change(model)
        seen.add(weights_sha256(model))
    assert len(seen) == 5


def test_the_file_is_in_the_safetensors_format():
    content = weights_bytes(Model())
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    start, end = header["weight"]["data_offsets"]
    values = np.frombuffer(content[8 + length :][start:end], "<f4")
    assert header["weight"]["shape"] == [2, 3]
    assert values.tolist() == [1, 2, 3, 4, 5, 6]
    assert set(header) - {"__metadata__"} == {"weight", "bias", "calls"}
    assert header["calls"]["shape"] == []


def test_weights_are_loaded_as_they_were(tmp_path):
    path, model, other = tmp_path / "weights.safetensors", Model(), Model()
    model.weight.data = np.asfortranarray(model.weight.data) * 2
    path.write_bytes(weights_bytes(model))
    load_weights(other, path)
    assert weights_sha256(other) == weights_sha256(model)


def test_weights_that_do_not_fit(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(weights_bytes(nn.Linear(2, 3)))
    with pytest.raises(UsageError, match=r"weights\.safetensors: state_dict does not fit Model; "):
        load_weights(Model(), path)
