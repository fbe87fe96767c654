import copy
import pickle

import numpy as np
import pytest

from distgrad.data import TensorDataset
from distgrad.data.fields import fields_class


def test_equal_names_give_one_class():
    assert fields_class(("x", "y")) is fields_class(("x", "y"))
    assert fields_class(("x", "y")) is not fields_class(("y", "x"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_instances_survive_pickling(protocol):
    sample = fields_class(("x", "y"))(1, [2])
    again = pickle.loads(pickle.dumps(sample, protocol))
    assert again == sample
    assert type(again) is type(sample)


def test_instances_can_be_copied():
    sample = fields_class(("x", "y"))(1, [2])
    deep = copy.deepcopy(sample)
    assert deep == sample
    assert deep.y is not sample.y
    assert type(copy.copy(sample)) is type(sample)


@pytest.mark.parametrize("name", ["class", "_x", "2x", "a b", ""])
def test_a_bad_name_is_refused(name):
    with pytest.raises(ValueError, match=f"'{name}' cannot name a field: a name is an identifier"):
        fields_class((name,))


def test_a_bad_name_is_refused_when_the_dataset_is_made():
    with pytest.raises(ValueError, match="'_x' cannot name a field"):
        TensorDataset(_x=np.zeros(3))
