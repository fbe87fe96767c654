"""`ModuleDict`."""

from collections import OrderedDict

import pytest

import distgrad as dg
from distgrad import nn


def test_modules_by_name():
    relu, linear = nn.ReLU(), nn.Linear(2, 3)
    modules = nn.ModuleDict({"relu": relu, "linear": linear})
    assert (list(modules), len(modules)) == (["relu", "linear"], 2)
    assert modules["relu"] is relu
    assert "linear" in modules
    assert "tanh" not in modules
    assert list(modules.keys()) == ["relu", "linear"]
    assert list(modules.values()) == [relu, linear]
    assert list(modules.items()) == [("relu", relu), ("linear", linear)]
    assert list(modules.state_dict()) == ["linear.weight", "linear.bias"]
    assert modules.pop("linear") is linear
    modules["tanh"] = nn.Tanh()
    del modules["relu"]
    assert repr(modules) == "ModuleDict(\n  (tanh): Tanh()\n)"
    modules.clear()
    assert not len(modules)
    with pytest.raises(KeyError, match="relu"):
        modules["relu"]


@pytest.mark.parametrize(
    "given",
    [
        {"b": nn.ReLU(), "a": nn.Tanh()},
        OrderedDict(b=nn.ReLU(), a=nn.Tanh()),
        [("b", nn.ReLU()), ["a", nn.Tanh()]],
        nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()}),
    ],
)
def test_filled_in_order(given):
    modules = nn.ModuleDict([("a", nn.GELU())])
    modules.update(given)
    assert [(k, type(m).__name__) for k, m in modules.items()] == [("a", "Tanh"), ("b", "ReLU")]


def test_errors():
    with pytest.raises(TypeError, match=r"takes a mapping or pairs .* got int"):
        nn.ModuleDict(3)
    with pytest.raises(TypeError, match=r"element 0 must be a pair .* got ReLU"):
        nn.ModuleDict([nn.ReLU()])
    with pytest.raises(ValueError, match=r"element 1 must be a pair .* got 3 values"):
        nn.ModuleDict([("a", nn.ReLU()), ("b", nn.ReLU(), 1)])
    with pytest.raises(TypeError, match="'Tensor' object to module 'a'"):
        nn.ModuleDict({"a": dg.ones(2)})
    with pytest.raises(KeyError, match="must be non-empty"):
        nn.ModuleDict({"": nn.ReLU()})
