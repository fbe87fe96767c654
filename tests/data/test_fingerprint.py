import hashlib

import numpy as np
import pytest

import distgrad as dg
from distgrad.data import Subset, TensorDataset, data_sha256


def test_what_is_hashed():
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    text = b"x float32 (2, 3)\n" + x.astype("<f4").tobytes() + b"y bool (2,)\n\x01\x00"
    dataset = TensorDataset(x=x, y=np.array([True, False]))
    assert data_sha256(dataset) == hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize(
    "same",
    [
        np.arange(6, dtype=">f4").reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        np.arange(12, dtype=np.float32).reshape(2, 6)[:, ::2] / 2,
        dg.Tensor(np.arange(6, dtype=np.float32).reshape(2, 3)),
    ],
)
def test_byte_order_and_memory_order_do_not_matter(same):
    dataset = TensorDataset(x=np.arange(6, dtype=np.float32).reshape(2, 3))
    assert data_sha256(TensorDataset(x=same)) == data_sha256(dataset)


def test_names_types_shapes_and_values_matter():
    x = np.zeros((2, 3), np.float32)
    datasets = [
        TensorDataset(x=x),
        TensorDataset(x),
        TensorDataset(z=x),
        TensorDataset(x=x.reshape(3, 2)),
        TensorDataset(x=x.view(np.int32)),
        TensorDataset(x=x + 1),
        TensorDataset(x=x, y=x),
        TensorDataset(x=x[:0]),
    ]
    assert len({data_sha256(dataset) for dataset in datasets}) == len(datasets)


def test_other_datasets_are_refused():
    with pytest.raises(TypeError, match="data_sha256 needs a TensorDataset, got Subset; take all"):
        data_sha256(Subset(TensorDataset(x=np.zeros(3)), [0]))
