import numpy as np
import pytest

import distgrad as dg
from distgrad import nn


def net():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    model.register_buffer("count", dg.zeros(2))
    model.register_buffer("cache", dg.zeros(2), persistent=False)
    return model


def snapshot(model):
    return {name: value.data.copy() for name, value in model.state_dict().items()}


def test_the_state_holds_parameters_and_persistent_buffers_and_shares_memory():
    model = net()
    state = model.state_dict()
    assert list(state) == ["count", "0.weight", "0.bias", "2.weight", "2.bias"]
    assert all(type(v) is dg.Tensor and not v.requires_grad for v in state.values())
    state["0.bias"].zero_()
    assert model[0].bias.tolist() == [0.0, 0.0, 0.0]
    assert list(nn.Linear(1, 1).state_dict(prefix="net.")) == ["net.weight", "net.bias"]


def test_loading_copies_in_place_and_announces_the_change():
    source, target = net(), net()
    arrays = [p.data for p in target.parameters()]
    versions = [p.version.number for p in target.parameters()]
    report = target.load_state_dict(source.state_dict())
    assert report == ([], [])
    assert report.missing_keys == report.unexpected_keys == []
    for p, q, array, version in zip(
        source.parameters(), target.parameters(), arrays, versions, strict=True
    ):
        assert q.data is array
        assert q.version.number > version
        np.testing.assert_array_equal(p.data, q.data)
        assert not np.shares_memory(p.data, q.data)


def test_loading_between_forward_and_backward_is_refused_by_backward():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    loss = model(dg.ones(1, 2)).sum()
    model.load_state_dict(model.state_dict())
    with pytest.raises(RuntimeError, match="in place"):
        loss.backward()


def test_values_may_be_arrays_lists_and_of_other_data_types():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1, 2]]), "bias": [0.5]})
    assert layer.weight.tolist() == [[1.0, 2.0]]
    assert layer.bias.tolist() == [0.5]
    assert layer.weight.dtype == np.float32
    layer.load_state_dict({"weight": dg.tensor([[3.0, 4.0]], dtype=dg.float64), "bias": dg.ones(1)})
    assert layer.weight.tolist() == [[3.0, 4.0]]


def test_torch_tensors_are_read():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Linear(2, 3)
    ours = nn.Linear(2, 3)
    ours.load_state_dict(theirs.state_dict())
    np.testing.assert_array_equal(ours.weight.data, theirs.weight.detach().numpy())


def test_one_error_names_everything_and_nothing_is_changed():
    model = net()
    before = snapshot(model)
    state = {name: np.full_like(value, 7) for name, value in before.items()}
    del state["0.weight"], state["count"]
    state["2.weight"] = np.zeros((1, 4), np.float32)
    state["2.bias"] = np.array(["x"])
    state["3.weight"] = state["cache"] = np.zeros(1)
    with pytest.raises(RuntimeError) as error:
        model.load_state_dict(state)
    assert str(error.value) == (
        "state_dict does not fit Sequential; nothing was loaded\n"
        '  missing: "count", "0.weight"\n'
        '  unexpected: "3.weight", "cache"\n'
        '  mismatched: "2.weight" has shape (1, 3), got (1, 4)\n'
        '  mismatched: "2.bias" expects numbers, got ndarray of data type <U1'
    )
    for name, value in snapshot(model).items():
        np.testing.assert_array_equal(value, before[name])


def test_not_strict_loads_what_is_there_and_reports_the_rest():
    model = net()
    report = model.load_state_dict({"0.bias": np.ones(3), "extra": np.ones(1)}, strict=False)
    assert report.missing_keys == ["count", "0.weight", "2.weight", "2.bias"]
    assert report.unexpected_keys == ["extra"]
    assert model[0].bias.tolist() == [1.0, 1.0, 1.0]


def test_not_strict_still_refuses_other_shapes():
    with pytest.raises(RuntimeError, match=r'mismatched: "0.bias" has shape \(3,\), got \(4,\)'):
        net().load_state_dict({"0.bias": np.ones(4)}, strict=False)


def test_a_state_must_be_a_mapping():
    with pytest.raises(TypeError, match="state_dict must be a mapping, got list"):
        net().load_state_dict([1, 2])
