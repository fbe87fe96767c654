import numpy as np
import pytest

import distgrad as dg
from distgrad import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(dg.ones(2))
        self.first = nn.Linear(2, 3)
        self.register_buffer("mean", dg.zeros(2))
        self.register_buffer("cache", dg.zeros(2), persistent=False)


def test_assigning_replaces_and_moves_between_kinds():
    net = nn.Module()
    net.x = 3
    net.x = nn.Parameter(dg.ones(1))
    assert "x" not in net.__dict__
    net.x = nn.Parameter(dg.zeros(1))
    assert [p.item() for p in net.parameters()] == [0.0]
    net.x = None
    assert net.x is None
    assert list(net.parameters()) == []
    net.register_buffer("b", dg.ones(1), persistent=False)
    net.b = dg.zeros(1)
    assert net.state_dict() == {}
    net.b = nn.Parameter(dg.ones(1))
    assert [n for n, _ in net.named_parameters()] == ["b"]
    assert list(net.named_buffers()) == []
    net.m = nn.Linear(1, 1)
    net.m = None
    assert list(net.children()) == []


def test_a_plain_tensor_is_a_plain_attribute():
    net = nn.Module()
    net.t = dg.ones(2)
    assert list(net.named_parameters()) == list(net.named_buffers()) == []
    assert "t" in net.__dict__


def test_deleting():
    net = Net()
    del net.scale, net.cache
    assert [n for n, _ in net.named_parameters()] == ["first.weight", "first.bias"]
    del net.first
    assert list(net.parameters()) == list(net.children()) == []
    assert [n for n, _ in net.named_buffers()] == ["mean"]
    net.note = 1
    del net.note
    with pytest.raises(AttributeError, match="note"):
        del net.note
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'scale'"):
        net.scale


def test_dir_lists_what_is_registered():
    assert {"scale", "first", "mean", "forward"} <= set(dir(Net()))


def test_registration_errors():
    net = Net()
    with pytest.raises(TypeError, match=r"cannot assign 'int' object to parameter 'scale' \(Param"):
        net.scale = 3
    with pytest.raises(TypeError, match="'Linear' object to parameter 'scale'"):
        net.scale = nn.Linear(1, 1)
    with pytest.raises(TypeError, match=r"'str' object to module 'first' \(Module or None req"):
        net.first = "linear"
    with pytest.raises(TypeError, match="'ndarray' object to buffer 'mean'"):
        net.mean = np.zeros(2)
    with pytest.raises(TypeError, match="'Tensor' object to parameter 'new'"):
        net.register_parameter("new", dg.ones(1))
    with pytest.raises(KeyError, match="attribute 'scale' already exists"):
        net.register_buffer("scale", dg.ones(1))
    with pytest.raises(KeyError, match="attribute 'forward' already exists"):
        net.add_module("forward", nn.ReLU())
    with pytest.raises(KeyError, match=r'non-empty and without "\.", got "a\.b"'):
        net.register_parameter("a.b", None)
    with pytest.raises(KeyError, match='got ""'):
        net.add_module("", nn.ReLU())


def test_registering_needs_the_base_class_to_be_ready():
    class Hasty(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(dg.ones(1))

    with pytest.raises(AttributeError, match=r"parameter before Module.__init__\(\) was called"):
        Hasty()
