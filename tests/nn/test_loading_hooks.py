"""Hooks of state_dict and load_state_dict, assign=True, keep_vars, destination."""

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))


def test_pre_hooks_and_post_hooks_of_saving():
    net, log = model(), []
    net[0].register_state_dict_pre_hook(lambda *args: log.append(args))

    def rename(module, state, prefix, metadata):
        assert metadata == {}
        state[prefix + "matrix"] = state.pop(prefix + "weight")

    with net[0].register_state_dict_post_hook(rename):
        state = net.state_dict(prefix="net.", keep_vars=True)
    assert list(state) == ["net.0.bias", "net.0.matrix", "net.1.weight", "net.1.bias"]
    assert log == [(net[0], "net.0.", True)]
    assert "0.weight" in net.state_dict()


def test_destination_and_keep_vars():
    net, state = model(), {"first": 1}
    assert net.state_dict(destination=state, keep_vars=True) is state
    assert list(state) == ["first", "0.weight", "0.bias", "1.weight", "1.bias"]
    assert state["0.weight"] is net[0].weight


def test_a_modules_own_state_dict_is_asked():
    class Hidden(nn.Linear):
        def state_dict(self, *, destination=None, prefix="", keep_vars=False):
            destination[prefix + "own"] = self.weight
            return destination

    assert list(nn.Sequential(Hidden(1, 1)).state_dict()) == ["0.own"]


def test_a_pre_hook_of_loading_translates_what_is_given():
    net, seen = model(), []

    def translate(module, state, prefix, metadata, strict, missing, unexpected, errors):
        seen.append((module, sorted(state), prefix, strict))
        state[prefix + "weight"] = state.pop(prefix + "matrix")

    net[1].register_load_state_dict_pre_hook(translate)
    given = {name: np.ones(value.shape) for name, value in net.state_dict().items()}
    given["1.matrix"] = given.pop("1.weight") * 5
    before = dict(given)
    assert net.load_state_dict(given) == ([], [])
    assert net[1].weight.tolist() == [[5.0, 5.0, 5.0]]
    assert seen == [(net[1], ["1.bias", "1.matrix"], "1.", True)]
    assert given.keys() == before.keys()


def test_a_pre_hook_may_report():
    net = model()

    def report(module, state, prefix, metadata, strict, missing, unexpected, errors):
        missing.append("a")
        unexpected.append("b")
        errors.append("the file is older than this model")

    net.register_load_state_dict_pre_hook(report)
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(net.state_dict())
    assert str(error.value) == (
        "state_dict does not fit Sequential; nothing was loaded\n"
        '  missing: "a"\n  unexpected: "b"\n  the file is older than this model'
    )


def test_post_hooks_of_loading_see_the_values_and_forgive_names():
    net, log = model(), []

    def forgive(module, keys):
        log.append((module, module.bias.tolist()))
        keys.missing_keys.remove("0.weight")
        keys.unexpected_keys.clear()

    net[0].register_load_state_dict_post_hook(forgive)
    net.register_load_state_dict_post_hook(lambda module, keys: log.append((module, list(keys[0]))))
    state = {name: np.ones(value.shape) for name, value in net.state_dict().items()}
    del state["0.weight"]
    assert net.load_state_dict({**state, "extra": np.ones(1)}) == ([], [])
    assert log == [(net[0], [1.0, 1.0, 1.0]), (net, [])]


def test_with_post_hooks_names_are_judged_after_the_copy():
    net = model()
    net.register_load_state_dict_post_hook(lambda module, keys: None)
    with pytest.raises(RuntimeError, match=r'what fits was loaded\n  missing: "0\.bias"'):
        net.load_state_dict(
            {n: np.ones(v.shape) for n, v in net.state_dict().items() if n != "0.bias"}
        )
    assert net[0].weight.tolist() == np.ones((3, 2)).tolist()
    with pytest.raises(
        RuntimeError, match=r'nothing was loaded\n  mismatched: "0\.bias" has shape'
    ):
        net.load_state_dict({"0.weight": np.zeros((3, 2)), "0.bias": np.zeros(4)}, strict=False)
    assert net[0].weight.tolist() == np.ones((3, 2)).tolist()


def test_a_post_hook_returns_nothing():
    net = model()
    net.register_load_state_dict_post_hook(lambda module, keys: keys)
    with pytest.raises(RuntimeError, match="returns nothing: it changes the lists"):
        net.load_state_dict(net.state_dict())


def test_assigning_what_is_given():
    layer = nn.BatchNorm1d(2)
    layer.weight.requires_grad_(False)
    given = {name: value.detach().double() for name, value in layer.state_dict().items()}
    given["running_var"] = np.full(2, 3.0)
    own = given["bias"] = nn.Parameter(dg.ones(2))
    assert layer.load_state_dict(given, assign=True) == ([], [])
    assert layer.bias is own
    assert isinstance(layer.weight, nn.Parameter)
    assert layer.weight.data is given["weight"].data
    assert (layer.weight.requires_grad, layer.bias.requires_grad) == (False, True)
    assert layer.weight.dtype == np.float64
    assert layer.running_mean is given["running_mean"]
    assert layer.running_var.tolist() == [3.0, 3.0]
    assert layer.num_batches_tracked.dtype == np.float64
    assert list(layer.state_dict()) == list(given)


def test_a_buffer_stays_one_whatever_is_assigned():
    layer = nn.BatchNorm1d(2)
    state = layer.state_dict() | {"running_mean": nn.Parameter(dg.full((2,), 5.0))}
    layer.load_state_dict(state, assign=True)
    assert dict(layer.named_buffers())["running_mean"].tolist() == [5.0, 5.0]
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]


def test_assigned_parameters_must_be_able_to_have_a_gradient():
    layer = nn.Linear(2, 1, bias=False)
    with pytest.raises(
        RuntimeError, match='"weight" requires a gradient, which int64 does not have'
    ):
        layer.load_state_dict({"weight": np.ones((1, 2), np.int64)}, assign=True)
    layer.load_state_dict({"weight": np.ones((1, 2), np.int64)})
    assert layer.weight.tolist() == [[1.0, 1.0]]


def test_hooks_are_called_as_in_pytorch():
    torch = pytest.importorskip("torch")

    def play(lib):
        log = []
        net = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.Sequential(lib.nn.Linear(2, 2)))
        for name, module in net.named_modules():
            module.register_state_dict_pre_hook(
                lambda module, prefix, keep, name=name: log.append(["save", name, prefix, keep])
            )
            module.register_state_dict_post_hook(
                lambda module, state, prefix, meta, name=name: log.append(
                    ["saved", name, sorted(state), prefix]
                )
            )
            module.register_load_state_dict_pre_hook(
                lambda module, state, prefix, *_, name=name: log.append(
                    ["load", name, sorted(state), prefix]
                )
            )
            module.register_load_state_dict_post_hook(
                lambda module, keys, name=name: log.append(["loaded", name])
            )
        net.load_state_dict(net.state_dict())
        return log

    def by_kind(log):  # where the hooks before loading come all first, PyTorch's are interleaved
        return sorted(log, key=lambda entry: entry[0])

    assert by_kind(play(dg)) == by_kind(play(torch))
