import copy
import pickle

import numpy as np
import pytest
from helpers.data_parallel import classifier, weights

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel, SingleProcess


def test_no_parameters():
    with pytest.raises(ValueError, match="no parameters: there is nothing to train"):
        DataParallel(nn.ReLU(), SingleProcess())


def test_several_data_types():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1, dtype=np.float64))
    expected = r"one data type, got float32 \('0.weight'\), float64 \('1.weight'\)"
    with pytest.raises(ValueError, match=expected):
        DataParallel(model, SingleProcess())


def test_unknown_reduction():
    expected = r"reduction must be one of \['allreduce', 'sharded', 'tree'\], got 'ring'"
    with pytest.raises(ValueError, match=expected):
        DataParallel(classifier(), SingleProcess(), reduction="ring")


def test_unknown_transport():
    expected = r"transport must be one of \('auto', 'shared', 'mpi', 'nccl', .*\), got 'pigeon'"
    with pytest.raises(ValueError, match=expected):
        DataParallel(classifier(), SingleProcess(), transport="pigeon")


def test_values_stay_and_lie_in_one_array():
    module = classifier()
    before = weights(module)
    model = DataParallel(module, SingleProcess())
    assert weights(module) == before
    assert model.module is module
    arrays = [parameter.data for parameter in model.parameters()]
    assert all(array.base is arrays[0].base for array in arrays)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_would_silently_not_train_is_refused(copied):
    model = DataParallel(classifier(), SingleProcess())
    with pytest.raises(TypeError, match=r"cannot be copied or pickled, .*; copy model\.module$"):
        copied(model)
    assert weights(copy.deepcopy(model.module)) == weights(model.module)


def test_graphs_from_before_are_refused():
    module = classifier()
    output = module(dg.ones((2, 6))).sum()
    DataParallel(module, SingleProcess())
    with pytest.raises(RuntimeError, match="changed in place"):
        output.backward()


def test_a_parameter_of_two_modules_is_one():
    first = nn.Linear(4, 4, bias=False)
    second = nn.Linear(4, 4, bias=False)
    second.weight = first.weight
    model = DataParallel(nn.Sequential(first, second), SingleProcess())
    assert len(list(model.parameters())) == 1
    assert first.weight.data is second.weight.data


def test_buffers_of_any_kind_keep_their_values():
    module = nn.Linear(2, 1)
    module.register_buffer("transposed", dg.Tensor(np.arange(6).reshape(2, 3).T))
    module.register_buffer("constant", dg.Tensor(np.broadcast_to(np.float64(3), (2, 2))))
    module.register_buffer("steps", dg.Tensor(np.array(7)))
    DataParallel(module, SingleProcess())
    assert module.transposed.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert module.constant.tolist() == [[3, 3], [3, 3]]
    assert (module.steps.shape, module.steps.item()) == ((), 7)


def test_is_the_model():
    module = classifier(dropout=0.5)
    model = DataParallel(module, SingleProcess())
    x = dg.ones((2, 6))
    assert model.eval() is model
    assert not module.training
    assert not module[2].training
    assert model(x).tolist() == module(x).tolist()
    assert model.train() is model
    assert module[2].training
    assert [name for name, _ in model.named_parameters()] == list(model.state_dict())
    assert list(model.state_dict()) == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert repr(model).startswith("DataParallel(rank 0 of 1, Sequential(")
