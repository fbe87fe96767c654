import copy
import pickle

import numpy as np
import pytest
from helpers.optimizing import flat_views, gradients, run, separate, start

import distgrad as dg
from distgrad import nn, optim


class Plain(optim.Optimizer):
    """What a user writes: a step of one's own."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                with dg.no_grad():
                    parameter.sub_(parameter.grad, alpha=group["lr"])
                self.state[parameter]["seen"] = parameter.grad.clone()


def parameter(*shape):
    return nn.Parameter(dg.ones(*(shape or (2,))))


def test_options_of_groups_and_defaults():
    a, b, c = parameter(), parameter(), parameter()
    optimizer = optim.SGD([{"params": [a, b], "lr": 0.5}, {"params": c}], lr=0.1, momentum=0.9)
    first, second = optimizer.param_groups
    assert first["params"] == [a, b]
    assert second["params"] == [c]
    assert (first["lr"], first["momentum"]) == (0.5, 0.9)
    assert (second["lr"], second["momentum"]) == (0.1, 0.9)
    assert optimizer.defaults["lr"] == 0.1


def test_groups_may_be_added_later():
    optimizer = optim.SGD([parameter()], lr=1.0)
    late = parameter()
    optimizer.add_param_group({"params": iter([late]), "lr": 0.5})
    late.grad = dg.ones(2)
    optimizer.step()
    assert late.tolist() == [0.5, 0.5]


def test_named_parameters():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.named_parameters())
    assert optimizer.param_groups[0]["params"] == [model.weight, model.bias]
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    with pytest.raises(ValueError, match="all parameter groups must have names, or none"):
        optimizer.add_param_group({"params": [parameter()]})
    with pytest.raises(ValueError, match="1 of 2 parameters have names: name all or none"):
        optim.SGD([("a", parameter()), parameter()])


def test_parameters_that_are_refused():
    p = parameter()
    with pytest.raises(TypeError, match="must be an iterable of Tensors or dicts, but got one Pa"):
        optim.SGD(p)
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        optim.SGD(iter([]))
    with pytest.raises(TypeError, match="the order of a set changes between runs; use a list"):
        optim.SGD({p})
    with pytest.raises(TypeError, match="only optimize Tensors, but one of the params is int"):
        optim.SGD([p, 3])
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        optim.SGD([p * 2])
    with pytest.raises(ValueError, match="appear more than once in a parameter group"):
        optim.SGD([p, p])
    with pytest.raises(ValueError, match="appear in more than one parameter group"):
        optim.SGD([{"params": [p]}, {"params": [parameter(), p]}])
    with pytest.raises(TypeError, match="param_group must be a dict, but got list"):
        optim.SGD([p]).add_param_group([parameter()])


def test_zero_grad():
    p, q = parameter(), parameter()
    optimizer = optim.SGD([p, q])
    p.grad = dg.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    assert q.grad is None
    optimizer.zero_grad()
    assert p.grad is None


def test_a_closure_is_run_with_recording_on_and_its_loss_returned():
    p = parameter()
    optimizer = optim.SGD([p], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with dg.no_grad():
        assert optimizer.step(closure).item() == 2.0
    assert p.tolist() == [0.5, 0.5]
    assert optimizer.step() is None


def test_a_step_of_ones_own():
    p = parameter()
    optimizer = Plain([p])
    p.grad = dg.ones(2)
    optimizer.step()
    np.testing.assert_allclose(p.data, [0.9, 0.9])
    other = Plain([parameter()], lr=7.0)
    other.load_state_dict(optimizer.state_dict())
    seen = other.state[other.param_groups[0]["params"][0]]["seen"]
    assert seen.tolist() == [1.0, 1.0]
    assert seen is not optimizer.state[p]["seen"]
    with pytest.raises(NotImplementedError, match=r"Optimizer does not define step\(\)"):
        optim.Optimizer([p], {}).step()


OPTIMIZERS = [
    lambda p: optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    lambda p: optim.SGD(p, lr=0.01),
    lambda p: optim.Adagrad(p, lr=0.01, lr_decay=0.1),
    lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    lambda p: optim.AdamW(p, lr=0.01),
    lambda p: optim.NAdam(p, lr=0.01),
    lambda p: optim.LARS(p, weight_decay=0.1),
    lambda p: optim.LAMB(p, lr=0.01),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize(
    "copied", [lambda x: x, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_loaded_state_goes_on_with_the_same_bits(make, copied):
    grads = gradients(7, np.float32)
    _, whole = run(make, start(np.float32), grads)
    half, parameters = run(make, start(np.float32), grads[:3])
    state = copied(half.state_dict())
    later = separate([p.data for p in parameters])
    optimizer = make(later)
    optimizer.load_state_dict(state)
    for of_step in grads[3:]:
        for p, gradient in zip(later, of_step, strict=True):
            p.grad = dg.Tensor(gradient)
        optimizer.step()
    for p, q in zip(whole, later, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def test_the_structure_of_a_state():
    a, b = parameter(), parameter()
    optimizer = optim.AdamW([{"params": [a]}, {"params": [b], "lr": 0.5}])
    b.grad = dg.ones(2)
    optimizer.step()
    state = optimizer.state_dict()
    assert list(state["state"]) == [1]
    assert list(state["state"][1]) == ["exp_avg", "exp_avg_sq", "step"]
    assert [g["params"] for g in state["param_groups"]] == [[0], [1]]
    assert [g["lr"] for g in state["param_groups"]] == [1e-3, 0.5]


def test_the_structure_is_torchs():
    torch = pytest.importorskip("torch")
    for name, options in [
        ("SGD", {"momentum": 0.9}),
        ("SGD", {}),
        ("Adagrad", {}),
        ("Adam", {"amsgrad": True}),
        ("AdamW", {}),
    ]:
        p, q = parameter(), torch.nn.Parameter(torch.ones(2))
        p.grad, q.grad = dg.ones(2), torch.ones(2)
        ours = getattr(optim, name)([p], lr=0.1, **options)
        theirs = getattr(torch.optim, name)([q], lr=0.1, **options)
        ours.step()
        theirs.step()
        a, b = ours.state_dict(), theirs.state_dict()
        assert {k: set(v) for k, v in a["state"].items()} == {
            k: set(v) for k, v in b["state"].items()
        }
        assert set(a["param_groups"][0]) <= set(b["param_groups"][0])
        for option, value in a["param_groups"][0].items():
            assert b["param_groups"][0][option] == value
        ours.load_state_dict(b)
        p.grad = dg.ones(2)
        ours.step()
        theirs.step()
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-6)


def test_a_state_of_a_parameter_that_is_not_there():
    optimizer = optim.Adam([parameter()])
    state = optimizer.state_dict()
    state["state"] = {5: {"step": 1}}
    with pytest.raises(ValueError, match=r"has one of parameter 5, but its groups have .* \[0\]"):
        optimizer.load_state_dict(state)


def test_numbers_are_not_rounded_to_the_type_of_the_parameter():
    p = nn.Parameter(dg.ones(2, dtype=np.float16))
    optimizer = optim.Adam([p])
    state = {"step": np.float32(5001), "exp_avg": np.ones(2), "exp_avg_sq": np.ones(2)}
    optimizer.load_state_dict({**optimizer.state_dict(), "state": {0: state}})
    assert optimizer.state[p]["step"] == 5001
    assert optimizer.state[p]["exp_avg"].dtype == np.float16


def test_loading_keeps_the_parameters_and_takes_the_options():
    optimizer = optim.SGD([parameter()], lr=0.1, momentum=0.9)
    other = optim.SGD([parameter()], lr=0.7)
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == 0.1
    assert other.param_groups[0]["params"] is not optimizer.param_groups[0]["params"]


def test_a_state_of_other_groups_is_refused_and_nothing_changed():
    optimizer = optim.Adam([parameter(), parameter()], lr=0.1)
    other = optim.Adam([parameter()], lr=0.7)
    with pytest.raises(ValueError, match=r"groups of \[2\] parameters.*groups of \[1\]"):
        other.load_state_dict(optimizer.state_dict())
    p = parameter(3)
    p.grad = dg.ones(3)
    optimizer = optim.Adam([p])
    optimizer.step()
    with pytest.raises(
        ValueError, match=r"exp_avg of shape \(3,\) for a parameter of shape \(2,\)"
    ):
        other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == 0.7
    assert not other.state


def test_a_loaded_state_lies_flat_and_is_converted():
    make = OPTIMIZERS[3]
    optimizer, _ = run(make, start(np.float64), gradients(2, np.float64))
    other = make(separate(start(np.float32)))
    other.load_state_dict(optimizer.state_dict())
    parameters = other.param_groups[0]["params"]
    buffers = [other.state[p]["exp_avg"].data for p in parameters]
    assert all(buffer.dtype == np.float32 for buffer in buffers)
    assert len({id(buffer.base) for buffer in buffers}) == 1
    assert other.state[parameters[0]]["step"] == 2


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_model_and_optimizer_copied_together_go_on_alike(make):
    model = nn.Linear(3, 2)
    for p, view in zip(
        model.parameters(), flat_views([p.data for p in model.parameters()]), strict=True
    ):
        p.data = view
    optimizer = make(model.parameters())

    def step(model, optimizer):
        model.zero_grad()
        model(dg.ones(1, 3)).sum().backward()
        optimizer.step()

    step(model, optimizer)
    twin, twin_optimizer = copy.deepcopy((model, optimizer))
    step(model, optimizer)
    before = model.weight.data.copy()
    step(twin, twin_optimizer)
    np.testing.assert_array_equal(twin.weight.data, before)
    np.testing.assert_array_equal(model.weight.data, before)


def test_repr():
    text = repr(optim.SGD([{"params": [parameter()]}, {"params": [parameter()], "lr": 2.0}]))
    assert text == (
        "SGD (\n"
        "Parameter Group 0\n    dampening: 0.0\n    lr: 0.001\n    maximize: False\n"
        "    momentum: 0.0\n    nesterov: False\n    weight_decay: 0.0\n"
        "Parameter Group 1\n    dampening: 0.0\n    lr: 2.0\n    maximize: False\n"
        "    momentum: 0.0\n    nesterov: False\n    weight_decay: 0.0\n)"
    )
