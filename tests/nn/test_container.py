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


@pytest.mark.parametrize("kind", [nn.Sequential, nn.ModuleList])
def test_inserting_and_popping(kind):
    layers = [nn.ReLU(), nn.Tanh(), nn.Sigmoid()]
    container = kind()
    assert container.insert(0, layers[1]) is container
    container.insert(0, layers[0])
    container.insert(2, layers[2])
    assert list(container) == layers
    extra = nn.GELU()
    assert container.insert(-1, extra)[2] is extra
    assert container.pop(2) is extra
    assert list(container.pop(slice(1, 3))) == layers[1:]
    assert [name for name, _ in container.named_children()] == ["0"]
    with pytest.raises(IndexError, match="index 3 is out of range to insert among 1 modules"):
        container.insert(3, extra)
    with pytest.raises(TypeError, match="takes a Module, got int"):
        container.insert(0, 3)
    with pytest.raises(TypeError, match="takes several modules, got ReLU; append"):
        container.extend(nn.ReLU())


def test_sums_and_multiples_of_sequentials():
    a, b = nn.Sequential(nn.ReLU(), nn.Tanh()), nn.Sequential(OrderedDict(last=nn.Sigmoid()))
    both = a + b
    assert list(both) == [*a, *b]
    assert [name for name, _ in both.named_modules()] == ["", "0", "1", "2"]
    assert (len(a), len(a * 3), len(2 * a)) == (2, 6, 4)
    assert (a * 3)[4] is a[0]
    same = a
    same += b
    same *= 2
    assert same is a
    assert [type(m).__name__ for m in a] == ["ReLU", "Tanh", "Sigmoid"] * 2
    with pytest.raises(ValueError, match="only a Sequential can be added to one, got list"):
        a + list(b)
    with pytest.raises(ValueError, match="positive integer, got 0"):
        a *= 0
    with pytest.raises(TypeError, match="by an integer, got float"):
        a * 1.5


def test_a_list_of_modules():
    layers = [nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()]
    both = nn.ModuleList(layers[:1]) + layers[1:]
    assert type(both) is nn.ModuleList
    assert list(both) == layers
    assert list(both.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    tail = both[1:]
    assert [name for name, _ in tail.named_children()] == ["0", "1"]
    both += [nn.Tanh()]
    del both[0]
    assert [type(m).__name__ for m in both] == ["Linear", "ReLU", "Tanh"]
    assert len(nn.ModuleList()) == 0
    with pytest.raises(NotImplementedError, match="ModuleList has no forward"):
        both(dg.ones(2))


def test_alike_modules_of_a_list_are_shown_once():
    block = nn.Sequential(nn.Linear(1, 1))
    text = repr(nn.ModuleList([block, block, nn.ReLU()]))
    assert text == (
        "ModuleList(\n  (0-1): 2 x Sequential(\n"
        "    (0): Linear(in_features=1, out_features=1, bias=True)\n  )\n  (2): ReLU()\n)"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Sequential(torch.nn.Linear(1, 1))
    assert text == repr(torch.nn.ModuleList([theirs, theirs, torch.nn.ReLU()]))
