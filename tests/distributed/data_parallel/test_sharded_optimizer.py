"""The sharded optimizer in one process, and what it refuses; tests/mpi has it on several ranks."""

import copy
import pickle

import numpy as np
import pytest
from helpers.data_parallel import Pieces, classifier, gradients, weights
from helpers.sharding import Run, state_bits

import distgrad as dg
from distgrad import nn, optim
from distgrad.distributed import DataParallel, ShardedOptimizer, SingleProcess
from distgrad.nn.utils import clip_grad_norm_, clip_grad_value_


@pytest.fixture
def model():
    """A sharded model behind its first step's reduction."""
    model = DataParallel(classifier(), SingleProcess(), "sharded")
    accumulate(model)
    return model


def accumulate(model, used=lambda model: model(dg.ones(1, 6))):
    return model.accumulate(lambda _: (used(model).sum(), 1), Pieces(range(3)))


# The optimizer


def test_is_an_optimizer_of_whole_parameters(model):
    optimizer = ShardedOptimizer(model, optim.AdamW, lr=0.5, weight_decay=0.25)
    assert isinstance(optimizer, optim.Optimizer)
    (group,) = optimizer.param_groups
    assert group["params"] == list(model.parameters())
    assert (group["lr"], group["weight_decay"], group["betas"]) == (0.5, 0.25, (0.9, 0.999))
    assert optimizer.defaults["lr"] == 0.5
    assert repr(optimizer).startswith("ShardedOptimizer (\nParameter Group 0\n    amsgrad: False")


def test_steps_within_a_schedule():
    assert Run(SingleProcess(), "sharded").train(2).outcome() == (
        Run(SingleProcess(), "tree").train(2).outcome()
    )


def test_options_are_read_at_each_step(model):
    optimizer = ShardedOptimizer(model, optim.SGD, lr=1.0)
    before = weights(model)
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    assert weights(model) == before
    optimizer.param_groups[0]["lr"] = 1.0
    optimizer.step()
    assert weights(model) != before


def test_groups_with_names_and_added_later(model):
    (name, weight), *others = model.named_parameters()
    optimizer = ShardedOptimizer(model, optim.SGD, [(name, weight)], lr=1.0)
    optimizer.step()
    unchanged = {name: p.data.copy() for name, p in others}
    before = weight.data.copy()
    optimizer.add_param_group({"params": others, "lr": 0.0, "momentum": 0.5})
    optimizer.step()
    assert (weight.data != before).any()
    for name, parameter in others:
        np.testing.assert_array_equal(parameter.data, unchanged[name])
    optimizer.param_groups[1]["lr"] = 1.0
    optimizer.step()
    assert (others[-1][1].data != unchanged[others[-1][0]]).all()
    assert [group["param_names"] for group in optimizer.param_groups] == [
        ["0.weight"],
        ["0.bias", "3.weight", "3.bias"],
    ]
    assert list(optimizer.state_dict()["state"]) == [1, 2, 3]  # the first group has no momentum


def test_a_function_may_make_the_optimizer(model):
    def without_decay_of_vectors(params, lr):
        params = list(params)
        groups = [
            {"params": [p for p in params if p.ndim > 1]},
            {"params": [p for p in params if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return optim.AdamW(groups, lr=lr)

    optimizer = ShardedOptimizer(model, without_decay_of_vectors, lr=0.5)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.01, 0.0]
    optimizer.step()


def test_the_closure_comes_before_the_update(model):
    optimizer = ShardedOptimizer(model, optim.SGD, lr=1.0)
    loss = accumulate(model).loss
    optimizer.zero_grad()
    before = weights(model)
    with dg.no_grad():
        assert optimizer.step(lambda: accumulate(model).loss) == loss
    assert weights(model) != before


def test_two_optimizers_share_a_model(model):
    first, *others = model.parameters()
    optimizers = [
        ShardedOptimizer(model, optim.SGD, [first], lr=0.1),
        ShardedOptimizer(model, optim.AdamW, others, lr=0.1),
    ]
    reference = DataParallel(classifier(), SingleProcess())
    accumulate(reference)
    first, *others = reference.parameters()
    plain = [optim.SGD([first], lr=0.1), optim.AdamW(others, lr=0.1)]
    for optimizer in (*optimizers, *plain):
        optimizer.step()
    assert weights(model) == weights(reference)


def test_parameters_without_a_gradient_and_their_versions(model):
    optimizer = ShardedOptimizer(model, optim.Adam)
    accumulate(model, lambda model: model.module[0](dg.ones(1, 6)))
    versions = [p.version.number for p in model.parameters()]
    before = weights(model)
    optimizer.step()
    assert [p.version.number - v for p, v in zip(model.parameters(), versions, strict=True)] == [
        1, 1, 0, 0,
    ]  # fmt: skip
    assert [name for name, bits in weights(model).items() if bits != before[name]] == [
        "0.weight",
        "0.bias",
    ]
    assert list(optimizer.state_dict()["state"]) == [0, 1]
    optimizer.zero_grad()
    before = weights(model)
    optimizer.step()
    assert weights(model) == before


def test_the_state_shows_what_is_remembered(model):
    optimizer = ShardedOptimizer(model, optim.AdamW)
    assert not optimizer.state
    optimizer.step()
    weight = next(model.parameters())
    assert optimizer.state[weight]["step"] == 1
    assert optimizer.state[weight]["exp_avg"].shape == (48,)


# Saving


def test_the_state_dict_is_the_plain_optimizers_and_a_copy():
    sharded, plain = (Run(SingleProcess(), r).train() for r in ("sharded", "tree"))
    state = sharded.optimizer.state_dict()
    expected = plain.optimizer.state_dict()
    assert state_bits(state) == state_bits(expected)
    assert [list(values) for values in state["state"].values()] == [
        list(values) for values in expected["state"].values()
    ]
    bits = state_bits(state)
    sharded.train()
    assert state_bits(state) == bits | {"param_groups": state["param_groups"]}


def test_a_state_of_pytorch_is_taken_over(model):
    torch = pytest.importorskip("torch")
    theirs = [torch.nn.Parameter(torch.tensor(p.detach().numpy())) for p in model.parameters()]
    reference = torch.optim.AdamW(theirs, lr=0.25)
    for p in theirs:
        p.grad = torch.ones_like(p)
    reference.step()
    optimizer = ShardedOptimizer(model, optim.AdamW)
    optimizer.load_state_dict(reference.state_dict())
    weight = next(model.parameters())
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert optimizer.state[weight]["step"] == 1
    np.testing.assert_array_equal(optimizer.state[weight]["exp_avg"].data, np.float32(0.1))


def test_a_state_of_other_sizes_is_refused_and_changes_nothing(model):
    optimizer = ShardedOptimizer(model, optim.AdamW)
    optimizer.step()
    state = optimizer.state_dict()
    before = state_bits(state)
    transposed = copy.deepcopy(state)
    transposed["state"][0]["exp_avg"] = dg.zeros(6, 8)
    with pytest.raises(ValueError, match=r"exp_avg of shape \(6, 8\) for a parameter of .*\(8, 6"):
        optimizer.load_state_dict(transposed)
    fewer = copy.deepcopy(state)
    fewer["param_groups"][0]["params"].pop()
    with pytest.raises(ValueError, match=r"groups of \[3\] parameters, .* groups of \[4\]"):
        optimizer.load_state_dict(fewer)
    assert state_bits(optimizer.state_dict()) == before


# What is refused


@pytest.mark.parametrize("reduction", ["tree", "allreduce"])
def test_another_reduction(reduction):
    model = DataParallel(classifier(), SingleProcess(), reduction)
    with pytest.raises(ValueError, match=r'build it as DataParallel\(module, comm, reduction="sh'):
        ShardedOptimizer(model, optim.SGD)


def test_a_model_that_is_not_data_parallel(model):
    with pytest.raises(TypeError, match="needs the DataParallel model, not a Sequential"):
        ShardedOptimizer(model.module, optim.SGD, lr=0.1)


def test_an_optimizer_of_ones_own(model):
    class Normalised(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

    expected = "Normalised cannot be sharded: .* own optimizers, such as SGD and LAMB; use reductio"
    with pytest.raises(TypeError, match=expected):
        ShardedOptimizer(model, Normalised, lr=1.0)


def test_options_that_make_no_sense(model):
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        ShardedOptimizer(model, optim.SGD, lr=-1.0)


def test_parameters_of_another_model(model):
    other = nn.Parameter(dg.zeros(5))
    expected = r"shape \(5,\) is not a parameter that the model had when DataParallel was built"
    with pytest.raises(ValueError, match=expected):
        ShardedOptimizer(model, optim.SGD, [other])
    first, *others = model.parameters()
    optimizer = ShardedOptimizer(model, optim.SGD, [first], lr=1.0)
    with pytest.raises(ValueError, match=expected):
        optimizer.add_param_group({"params": [*others, other]})
    optimizer.add_param_group({"params": others})  # nothing of the refused group was left
    optimizer.step()


def test_a_parameter_that_was_moved(model):
    optimizer = ShardedOptimizer(model, optim.SGD)
    model.module[3].weight.data = model.module[3].weight.data.copy()
    before = weights(model)
    expected = r"'3.weight' does not lie where DataParallel put it; .*, by copy_\(\) or load_state_"
    with pytest.raises(RuntimeError, match=expected):
        optimizer.step()
    with pytest.raises(RuntimeError, match=expected):
        model.clip_grad_norm_(1.0)
    assert weights(model) == before


def test_gradients_of_this_rank_alone(model):
    optimizer = ShardedOptimizer(model, optim.SGD)
    optimizer.zero_grad()
    with model.no_sync():
        model(dg.ones(1, 6)).sum().backward()
    before = weights(model)
    expected = r"gradient of '0.weight' was not reduced over the ranks; end the step with model.acc"
    with pytest.raises(RuntimeError, match=expected):
        optimizer.step()
    with pytest.raises(RuntimeError, match=expected):
        model.clip_grad_norm_(1.0)
    assert weights(model) == before


# Gradients that cannot be read

LOOKS = {
    "data": lambda p: p.grad.data,
    "numpy": lambda p: p.grad.numpy(),
    "shape": lambda p: p.grad.shape,
    "arithmetic": lambda p: p.grad * 2,
    "norm": lambda p: (p.grad**2).sum(),
    "detach": lambda p: p.grad.detach(),
    "in place": lambda p: p.grad.mul_(2),
    "clip_grad_norm_": lambda p: clip_grad_norm_([p], 1.0),
    "clip_grad_value_": lambda p: clip_grad_value_([p], 1.0),
    "a plain optimizer": lambda p: optim.SGD([p], lr=1.0).step(),
    "zero_grad to zeros": lambda p: optim.SGD([p]).zero_grad(set_to_none=False),
    "backward again": lambda p: (p * p).sum().backward(),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_whatever_looks_at_a_gradient_is_refused(model, look):
    before = weights(model)
    parameter = next(model.parameters())
    expected = (
        r'with reduction="sharded" a gradient lies in slices on all ranks, and .grad cannot be '
        r"read: clip with model.clip_grad_norm_\(\), step with ShardedOptimizer, and drop it with "
        r'zero_grad\(\) before loss.backward\(\); or use reduction="tree"'
    )
    with pytest.raises(RuntimeError, match=expected):
        look(parameter)
    assert weights(model) == before


def test_backward_without_zero_grad(model):
    with pytest.raises(RuntimeError, match="drop it with zero_grad"):
        model(dg.ones(1, 6)).sum().backward()
    model.module.zero_grad()
    model(dg.ones(1, 6)).sum().backward()
    ShardedOptimizer(model, optim.SGD).step()


def test_what_is_not_used_has_no_gradient(model):
    accumulate(model, lambda model: model.module[0](dg.ones(1, 6)))
    assert [p.grad is None for p in model.parameters()] == [False, False, True, True]
    assert not model.accumulate(lambda _: (model(dg.ones(1, 6)).sum(), 0), Pieces([0])).finite
    assert all(p.grad is None for p in model.parameters())


def test_a_model_can_be_printed_copied_and_pickled(model):
    gradient = next(model.parameters()).grad
    assert repr(gradient) == "<gradient in slices on all ranks>"
    for other in (copy.deepcopy(model.module), pickle.loads(pickle.dumps(model.module))):
        assert weights(other) == weights(model)
        other.zero_grad()
        other(dg.ones(1, 6)).sum().backward()
        assert gradients(other)["0.weight"].shape == (8, 6)
