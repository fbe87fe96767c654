"""`ParameterList` and `ParameterDict`."""

import pytest

import distgrad as dg
from distgrad import nn


def test_a_list_of_parameters():
    first = nn.Parameter(dg.ones(2))
    parameters = nn.ParameterList([first, dg.zeros(3, 1)])
    assert len(parameters) == 2
    assert parameters[0] is first
    assert isinstance(parameters[-1], nn.Parameter)
    assert [name for name, _ in parameters.named_parameters()] == ["0", "1"]
    parameters.append(dg.ones(4)).extend([dg.ones(5)])
    parameters += [dg.ones(6)]
    assert [p.numel() for p in parameters] == [2, 3, 4, 5, 6]
    parameters[1] = dg.ones(7)
    part = parameters[:2]
    assert type(part) is nn.ParameterList
    assert [p.shape for p in part.parameters()] == [(2,), (7,)]
    assert part[0] is first
    assert len(nn.ParameterList()) == 0


def test_parameters_by_name():
    parameters = nn.ParameterDict({"left": dg.ones(2), "note": "text"})
    assert isinstance(parameters["left"], nn.Parameter)
    assert parameters["note"] == "text"
    assert list(parameters.state_dict()) == ["left"]
    parameters.update([("right", dg.zeros(3))])
    assert (len(parameters), list(parameters)) == (3, ["left", "note", "right"])
    assert list(reversed(parameters)) == ["right", "note", "left"]
    assert "right" in parameters
    assert list(parameters.keys()) == ["left", "note", "right"]
    assert dict(parameters.items())["note"] == "text"
    assert list(parameters.values())[1] == "text"
    assert parameters.get("none") is None
    assert parameters.get("note", 3) == "text"
    assert parameters.setdefault("new", dg.ones(1)).shape == (1,)
    assert parameters.popitem()[0] == "new"
    assert parameters.pop("note") == "text"
    other = parameters | nn.ParameterDict({"left": dg.zeros(1)})
    assert other["left"].shape == (1,)
    assert other["right"] is parameters["right"]
    parameters |= nn.ParameterDict({"more": dg.ones(1)})
    assert list(parameters.copy()) == ["left", "right", "more"]
    assert parameters.fromkeys(["a", "b"], 1)["b"] == 1
    del parameters["left"]
    assert [name for name, _ in parameters.named_parameters()] == ["right", "more"]
    parameters.clear()
    assert not len(parameters)


def test_they_are_learned_with_the_module_that_holds_them():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.steps = nn.ParameterList([dg.ones(2), 2 * dg.ones(2)])
            self.named = nn.ParameterDict({"shift": dg.zeros(2)})

        def forward(self, x):
            for step in self.steps:
                x = x * step
            return x + self.named["shift"]

    model = Model()
    assert list(model.state_dict()) == ["steps.0", "steps.1", "named.shift"]
    model(dg.ones(2)).sum().backward()
    assert model.steps[0].grad.tolist() == [2, 2]


def test_representation():
    values = [dg.ones(2, 3), "text"]
    assert repr(nn.ParameterList(values)) == (
        "ParameterList(\n    (0): Parameter containing: [float32 of size 2x3]\n"
        "    (1): Object of type: str\n)"
    )
    assert repr(nn.ParameterDict()) == "ParameterDict()"
    torch = pytest.importorskip("torch")
    theirs = repr(torch.nn.ParameterList([torch.ones(2, 3), "text"]))
    assert repr(nn.ParameterList(values)) == theirs.replace("torch.", "")


def test_errors():
    with pytest.raises(IndexError, match="index 1 is out of range for 1 parameters"):
        nn.ParameterList([dg.ones(1)])[1]
    with pytest.raises(TypeError, match="takes several parameters, got Tensor; append"):
        nn.ParameterList(dg.ones(2))
    with pytest.raises(TypeError, match="indexed by a name, got int 3"):
        nn.ParameterDict()[3]
    with pytest.raises(TypeError, match=r"takes a mapping or pairs .* got int"):
        nn.ParameterDict(3)
    with pytest.raises(KeyError, match="left"):
        del nn.ParameterDict()["left"]
    for container in (nn.ParameterList(), nn.ParameterDict()):
        with pytest.raises(RuntimeError, match="computes nothing; call the module that holds it"):
            container(dg.ones(2))
