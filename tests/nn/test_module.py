import copy
import pickle

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(dg.ones(2))
        self.first = nn.Linear(2, 3)
        self.second = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
        self.register_buffer("mean", dg.zeros(2))
        self.register_buffer("cache", dg.zeros(2), persistent=False)

    def forward(self, x, twice=False):
        y = self.second(self.first((x - self.mean) * self.scale))
        return y + y if twice else y


NAMES = ["scale", "first.weight", "first.bias", "second.0.weight", "second.0.bias"]


def test_assigned_parameters_buffers_and_modules_are_found_by_dotted_names():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in net.named_parameters()]
    assert [name for name, _ in net.named_buffers()] == ["mean", "cache"]
    assert len(list(net.buffers())) == 2
    assert [name for name, _ in net.named_children()] == ["first", "second"]
    assert list(net.children()) == [net.first, net.second]
    assert [name for name, _ in net.named_modules()] == [
        "",
        "first",
        "second",
        "second.0",
        "second.1",
    ]
    assert next(net.modules()) is net


def test_prefix_and_recurse():
    net = Net()
    assert [n for n, _ in net.named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert [n for n, _ in net.named_parameters("net")][1] == "net.first.weight"
    assert next(n for n, _ in net.named_buffers("net", recurse=False)) == "net.mean"
    assert [n for n, _ in net.named_modules(prefix="net")][:2] == ["net", "net.first"]
    assert list(net.parameters(recurse=False)) == [net.scale]


def test_calling_runs_forward_with_its_arguments():
    net = Net()
    x = dg.ones(4, 2)
    assert net(x).shape == (4, 3)
    assert net(x, twice=True).tolist() == (net(x) * 2).tolist()


def test_what_is_shared_is_yielded_once():
    net = nn.Module()
    net.a = nn.Linear(2, 2)
    net.b = net.a
    net.c = nn.Linear(2, 2)
    net.c.weight = net.a.weight
    assert [n for n, _ in net.named_parameters()] == ["a.weight", "a.bias", "c.bias"]
    every = [n for n, _ in net.named_parameters(remove_duplicate=False)]
    assert every == ["a.weight", "a.bias", "b.weight", "b.bias", "c.weight", "c.bias"]
    assert [n for n, _ in net.named_modules()] == ["", "a", "c"]
    assert [n for n, _ in net.named_modules(remove_duplicate=False)] == ["", "a", "b", "c"]
    assert [n for n, _ in net.named_children()] == ["a", "c"]
    assert list(net.state_dict()) == every


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Module has no forward\(\)"):
        nn.Module()(dg.ones(1))


def test_training_mode_reaches_all_modules():
    net = Net()
    assert all(m.training for m in net.modules())
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train() is net
    assert all(m.training for m in net.modules())
    with pytest.raises(ValueError, match="expected to be True or False, got 'yes'"):
        net.train("yes")


def test_zero_grad():
    net = Net()
    net(dg.ones(1, 2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all(p.grad.tolist() == np.zeros(p.shape).tolist() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(p.grad is None for p in net.parameters())


def test_freezing():
    net = Net().requires_grad_(False)
    assert not net(dg.ones(1, 2)).requires_grad
    assert net.requires_grad_()(dg.ones(1, 2)).requires_grad


def test_apply_visits_children_first():
    seen = []
    net = Net()
    assert net.apply(seen.append) is net
    assert seen == [net.first, net.second[0], net.second[1], net.second, net]


def test_deep_copies_and_pickles_are_independent():
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        before = net.scale.tolist()
        dg.nn.init.zeros_(other.scale)
        assert net.scale.tolist() == before
        assert [n for n, _ in other.named_parameters()] == NAMES
        assert other.scale.requires_grad


def test_repr_nests_modules():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = Net()
            self.act = nn.Tanh()

        def extra_repr(self):
            return "depth=2"

    assert (
        repr(Outer())
        == """\
Outer(
  depth=2
  (net): Net(
    (first): Linear(in_features=2, out_features=3, bias=True)
    (second): Sequential(
      (0): Linear(in_features=3, out_features=3, bias=True)
      (1): ReLU()
    )
  )
  (act): Tanh()
)"""
    )
    assert repr(nn.Module()) == "Module()"


def test_names_order_and_repr_are_torchs():
    torch = pytest.importorskip("torch")

    class TorchNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(2))
            self.first = torch.nn.Linear(2, 3)
            self.second = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU())
            self.register_buffer("mean", torch.zeros(2))
            self.register_buffer("cache", torch.zeros(2), persistent=False)

    ours, theirs = Net(), TorchNet()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    assert repr(ours) == repr(theirs).replace("TorchNet", "Net")


def test_representations_of_several_lines_are_torchs():
    torch = pytest.importorskip("torch")

    def build(lib, with_child):
        class Note(lib.nn.Module):
            def extra_repr(self):
                return "a=1\nb=2"

        note = Note()
        if with_child:
            note.child = lib.nn.Sequential(lib.nn.ReLU())
            note.none = None
            note.register_module("nothing", None)
        return note

    for with_child in (False, True):
        assert repr(build(dg, with_child)) == repr(build(torch, with_child))


def test_a_part_may_hold_back_from_training():
    class Frozen(nn.Linear):
        def train(self, mode=True):
            return super().train(False)

    net = nn.Sequential(Frozen(1, 1), nn.Linear(1, 1))
    net.train()
    assert [m.training for m in net.modules()] == [True, False, True]


def test_buffers_are_registered_by_assignment():
    net = nn.Module()
    net.mean = nn.Buffer(dg.zeros(2))
    net.cache = nn.Buffer(np.ones(2), persistent=False)
    assert [name for name, _ in net.named_buffers()] == ["mean", "cache"]
    assert list(net.state_dict()) == ["mean"]
    net.mean = dg.ones(2)
    net.cache = dg.zeros(2)
    assert list(net.state_dict()) == ["mean"]
    net.cache = nn.Buffer(dg.zeros(2))
    assert list(net.state_dict()) == ["mean", "cache"]
    net.scale = nn.Parameter(dg.ones(1))
    with pytest.raises(TypeError, match="'Buffer' object to parameter 'scale'"):
        net.scale = nn.Buffer(dg.ones(1))
    twin = copy.deepcopy(net)
    assert (type(twin.cache), twin.cache.persistent) == (nn.Buffer, True)


def test_a_state_of_an_older_version_is_completed():
    class Versioned(nn.Linear):
        def __getstate__(self):
            return {name: value for name, value in vars(self).items() if name != "scale"}

        def __setstate__(self, state):
            super().__setstate__(state)
            self.scale = 2.0

    layer = Versioned(2, 1)
    layer.scale = 1.0
    assert copy.copy(layer).scale == 2.0
    assert copy.deepcopy(layer).weight.tolist() == layer.weight.tolist()


def test_copies_of_parameters_have_no_gradient_as_in_pytorch():
    net = Net()
    net(dg.ones(1, 2)).sum().backward()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        for parameter in other.parameters():
            assert parameter.is_leaf
            assert parameter.requires_grad
            assert parameter.grad is None
        other(dg.ones(1, 2)).sum().backward()
        assert other.scale.grad.tolist() == net.scale.grad.tolist()


def test_a_shared_parameter_stays_shared_in_copies():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other[1].weight is other[0].weight
        assert other[0].weight is not net[0].weight


def test_dir_leaves_out_what_is_no_attribute():
    assert not {"0", "1"} & set(dir(nn.Sequential(nn.ReLU(), nn.ReLU())))
