import pickle
from operator import methodcaller

import numpy as np
import pytest

from distgrad.data import CompactDataset, DataLoader, Subset, TensorDataset, data_sha256

HALVES = np.arange(0, 0.5 * 256, 0.5, dtype=np.float32)
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 2, 3), np.uint8)


@pytest.fixture
def dataset():
    return CompactDataset({"x": HALVES.take}, x=PIXELS, y=np.arange(6))


def test_samples_batches_and_slices_are_converted(dataset):
    expected = PIXELS / np.float32(2)
    np.testing.assert_array_equal(dataset.take([4, 1]).x.data, expected[[4, 1]])
    np.testing.assert_array_equal(dataset[3].x.data, expected[3])
    np.testing.assert_array_equal(dataset[1:3].x.data, expected[1:3])
    np.testing.assert_array_equal(dataset.tensors[0].data, expected)
    assert dataset.take([0]).x.dtype == dataset[0].x.dtype == np.float32
    assert dataset[2].y.item() == 2


def test_what_is_kept_stays_small(dataset):
    assert dataset.arrays["x"] is PIXELS


def test_the_hash_is_of_what_is_kept(dataset):
    assert data_sha256(dataset) == data_sha256(TensorDataset(x=PIXELS, y=np.arange(6)))


def test_it_is_a_dataset_as_any_other(dataset):
    subset = Subset(dataset, [5, 2])
    (batch,) = DataLoader(subset, batch_size=2)
    np.testing.assert_array_equal(batch.x.data, PIXELS[[5, 2]] / np.float32(2))


def test_pickling(dataset):
    for original in (dataset, CompactDataset({"x": methodcaller("astype", "f8")}, x=PIXELS)):
        again = pickle.loads(pickle.dumps(original))
        np.testing.assert_array_equal(again.take([1]).x.data, original.take([1]).x.data)


def test_a_conversion_for_no_array_is_refused():
    message = r"conversions are for \['z'\], but the arrays are \['x', 'y'\]; name those"
    with pytest.raises(ValueError, match=message):
        CompactDataset({"z": abs}, x=PIXELS, y=np.arange(6))


def test_what_tensor_datasets_refuse_is_refused():
    with pytest.raises(ValueError, match="must have one length, got x: 6, y: 5"):
        CompactDataset({}, x=PIXELS, y=np.arange(5))
