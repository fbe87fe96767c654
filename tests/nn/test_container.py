from collections import OrderedDict

import pytest

import distgrad as dg
from distgrad import nn


def test_modules_run_one_after_another():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    x = dg.ones(4, 2)
    assert model(x).tolist() == model[2](model[1](model[0](x))).tolist()
    assert nn.Sequential()(x) is x


def test_names_may_be_given():
    model = nn.Sequential(OrderedDict(hidden=nn.Linear(2, 3), out=nn.Linear(3, 1)))
    assert list(model.state_dict()) == ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    assert model.hidden is model[0]


def test_indexing_and_slicing():
    layers = [nn.Linear(1, 1), nn.ReLU(), nn.Tanh()]
    model = nn.Sequential(*layers)
    assert len(model) == 3
    assert list(model) == layers
    assert model[-1] is layers[2]
    tail = model[1:]
    assert type(tail) is nn.Sequential
    assert list(tail) == layers[1:]
    assert [name for name, _ in tail.named_children()] == ["1", "2"]
    with pytest.raises(IndexError, match="index 3 is out of range for 3 modules"):
        model[3]


def test_replacing_appending_extending_and_deleting():
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    tanh, relu = nn.Tanh(), nn.ReLU()
    model[1] = tanh
    assert model.append(relu) is model
    assert list(model)[1:] == [tanh, relu]
    del model[0]
    assert [name for name, _ in model.named_children()] == ["0", "1"]
    assert list(model.extend([nn.Tanh()]))[:2] == [tanh, relu]
    del model[:2]
    assert len(model) == 1
    with pytest.raises(IndexError, match="out of range"):
        model[1] = tanh


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match="'function' object to module '1'"):
        nn.Sequential(nn.ReLU(), lambda x: x)
    with pytest.raises(TypeError, match="'int' object to module '0'"):
        nn.Sequential().append(3)
