import pytest

import distgrad as dg
from distgrad import nn


def model():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.BatchNorm1d(3), nn.ReLU()))
    net.note = "text"
    return net


def test_parts_by_their_names():
    net = model()
    assert net.get_submodule("") is net
    assert net.get_submodule("1.0") is net[1][0]
    assert net.get_parameter("1.0.weight") is net[1][0].weight
    assert net.get_buffer("1.0.running_mean") is net[1][0].running_mean
    assert net[0].get_parameter("bias") is net[0].bias


def test_names_of_nothing():
    net = model()
    with pytest.raises(AttributeError, match="'Sequential' object has no attribute '2'"):
        net.get_submodule("1.2")
    with pytest.raises(AttributeError, match="has no attribute ''"):
        net.get_submodule("1.")
    with pytest.raises(AttributeError, match=r"`weight` of '0.weight' is not a Module"):
        net.get_submodule("0.weight")
    with pytest.raises(AttributeError, match="`note` of 'note' is not a Parameter"):
        net.get_parameter("note")
    with pytest.raises(AttributeError, match="no attribute 'gamma'"):
        net.get_parameter("0.gamma")
    with pytest.raises(AttributeError, match=r"`weight` of '1\.0\.weight' is not a buffer"):
        net.get_buffer("1.0.weight")
    with pytest.raises(AttributeError, match="no attribute 'mean'"):
        net.get_buffer("1.0.mean")


def test_a_submodule_is_replaced():
    net = model()
    net.set_submodule("1.1", nn.Tanh())
    net.set_submodule("1.new", nn.GELU())
    assert [type(m).__name__ for m in net[1]] == ["BatchNorm1d", "Tanh", "GELU"]
    net.set_submodule("0", nn.Identity(), strict=True)
    assert isinstance(net[0], nn.Identity)


def test_submodules_that_cannot_be_replaced():
    net = model()
    with pytest.raises(ValueError, match="needs the name of a submodule, got an empty one"):
        net.set_submodule("", nn.ReLU())
    with pytest.raises(ValueError, match="takes a Module, got Parameter"):
        net.set_submodule("0", net[0].weight)
    with pytest.raises(AttributeError, match="no attribute 'new'"):
        net.set_submodule("1.new", nn.ReLU(), strict=True)
    with pytest.raises(AttributeError, match="`weight` of 'weight' is not a Module"):
        net.set_submodule("0.weight", nn.ReLU())
    with pytest.raises(AttributeError, match="no attribute '7'"):
        net.set_submodule("7.new", nn.ReLU())


def test_a_memo_leaves_out_and_remembers_modules():
    net = model()
    memo = {net[1]}
    assert [name for name, _ in net.named_modules(memo, "net")] == [
        "net",
        "net.0",
        "net.1.0",
        "net.1.1",
    ]
    assert memo == set(net.modules())
    assert list(net.named_modules(memo)) == []


def test_modules_that_occur_twice():
    net = nn.Sequential(nn.ReLU())
    net.append(net[0])
    assert len(list(net.modules())) == 2
    assert len(list(net.modules(remove_duplicate=False))) == 3


def test_modules_that_equal_each_other_are_still_two():
    class Equal(nn.Module):
        def __eq__(self, other):
            return True

        __hash__ = None

    net = nn.Module()
    net.a, net.b = Equal(), Equal()
    assert [name for name, _ in net.named_modules()] == ["", "a", "b"]


def test_names_are_torchs():
    torch = pytest.importorskip("torch")

    def shared(lib):
        net = lib.nn.Module()
        net.a = lib.nn.Linear(2, 2)
        net.b = lib.nn.Sequential(net.a, lib.nn.BatchNorm1d(2))
        net.c = lib.nn.Linear(2, 2)
        net.c.weight = net.a.weight
        net.c.register_buffer("mean", net.b[1].running_mean)
        return net

    ours, theirs = shared(dg), shared(torch)
    for call in (
        lambda net: net.named_modules(prefix="p"),
        lambda net: net.named_modules(remove_duplicate=False),
        lambda net: net.named_parameters("p", recurse=True),
        lambda net: net.named_parameters(remove_duplicate=False),
        lambda net: net.named_buffers(),
        lambda net: net.named_buffers("p", True, False),
        lambda net: net.named_children(),
        lambda net: net.c.named_parameters("p", recurse=False),
    ):
        assert [name for name, _ in call(ours)] == [name for name, _ in call(theirs)]
