from collections import namedtuple

import numpy as np
import pytest

from distgrad.data import TensorDataset
from distgrad.training.samples import first_batch, inputs_and_targets, kept_arrays

Named = namedtuple("Named", ["weight", "y", "x"])


def test_fields_are_found_by_name_and_pairs_by_place():
    assert inputs_and_targets(Named(weight=1, y=2, x=3)) == (3, 2)
    assert inputs_and_targets((3, 2)) == (3, 2)
    assert inputs_and_targets([3, 2]) == (3, 2)


@pytest.mark.parametrize("batch", [(1, 2, 3), {"x": 1, "y": 2}, 5, (1,)])
def test_anything_else_is_refused(batch):
    with pytest.raises(ValueError, match="must have samples with the fields x and y, or pairs of"):
        inputs_and_targets(batch)


class Squares:
    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index not in range(3):
            raise IndexError(index)
        return np.float32(index + 1), (index + 1) ** 2


class Stream:
    def __iter__(self):
        return iter([(np.float32(7), 8)])


class Nothing:
    def __iter__(self):
        return iter(())


@pytest.mark.parametrize(
    ("dataset", "sample"), [(Squares(), [1, 1]), (Stream(), [7, 8]), ([(3, 4)], [3, 4])]
)
def test_the_first_sample_of_any_dataset_is_a_batch(dataset, sample):
    assert [part.tolist() for part in first_batch(dataset)] == [[value] for value in sample]


def test_a_stream_without_a_sample():
    with pytest.raises(ValueError, match="is empty; a run needs at least 1 sample to train on"):
        first_batch(Nothing())


def test_arrays_that_a_dataset_keeps():
    x, y = np.zeros((3, 2)), np.arange(3)
    for dataset in (TensorDataset(x=x, y=y), TensorDataset(y=y, x=x), TensorDataset(x, y)):
        kept = kept_arrays(dataset)
        assert kept is not None
        assert kept[0] is x
        assert kept[1] is y
    assert kept_arrays(Squares()) is None
