"""Backward hooks of modules."""

import pytest
from helpers.scenes import Scenes, listed, play, play_in_pytorch, scale_by

import distgrad as dg
from distgrad import nn

scenes = Scenes()


def pair(m):
    """Two arguments that may be tensors and a number to two results."""

    class Pair(m.nn.Module):
        def forward(self, x, y, number):
            return x * y * number, x + y

    return Pair()


@scenes.expect([[[[6.0, 6.0]], [[2.0, 2.0]]], [[[2.0, 2.0]]]])
def backward_hooks_see_gradients(m):
    log = []
    module = scale_by(m, 3)
    module.register_full_backward_hook(
        lambda module, below, above: log.append([listed(below), listed(above)])
    )
    module.register_full_backward_pre_hook(lambda module, above: log.append([listed(above)]))
    x = m.ones(2, requires_grad=True)
    module(x).backward(m.full((2,), 2.0))
    return sorted(log, key=len, reverse=True)


@scenes.expect([[[12.0], [12.0], None], [[2.0], [1.0]], [12.0], [12.0]])
def several_arguments_and_results(m):
    log = []
    module = pair(m)
    module.register_full_backward_hook(
        lambda module, below, above: log.extend([listed(below), listed(above)])
    )
    x, y = m.ones(1, requires_grad=True), m.ones(1, requires_grad=True)
    a, b = module(x, y, 5.5)
    (2 * a + b).sum().backward()
    return [*log, listed(x.grad), listed(y.grad)]


@scenes.expect([[[1.0], [0.0], None], [None, [1.0]], [1.0], None])
def an_argument_without_gradient_and_an_unused_result(m):
    log = []
    module = pair(m)
    module.register_full_backward_hook(
        lambda module, below, above: log.extend([listed(below), listed(above)])
    )
    x, y = m.ones(1, requires_grad=True), m.ones(1)
    _, b = module(x, y, 2.0)
    b.sum().backward()
    return [*log, listed(x.grad), listed(y.grad)]


@scenes.expect([[[1.0], [0.0]], [[1.0], None], [1.0], [0.0], None])
def an_argument_and_a_parameter_that_are_not_used(m):
    log = []

    class Beside(m.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = m.nn.Parameter(m.ones(1))

        def forward(self, x, y):
            return x * 1, y * self.weight

    module = Beside()
    module.register_full_backward_hook(
        lambda module, below, above: log.extend([listed(below), listed(above)])
    )
    x, y = m.ones(1, requires_grad=True), m.ones(1, requires_grad=True)
    module(x, y)[0].sum().backward()
    return [*log, listed(x.grad), listed(y.grad), listed(module.weight.grad)]


@scenes.expect([[[70.0]], [[10.0]], [70.5]])
def backward_hooks_change_gradients(m):
    log = []
    module = scale_by(m, 7)
    module.register_full_backward_pre_hook(lambda module, above: (above[0] * 5,))
    module.register_full_backward_pre_hook(lambda module, above: (above[0] * 2,))
    module.register_full_backward_hook(
        lambda module, below, above: log.extend([listed(below), listed(above)])
    )
    module.register_full_backward_hook(lambda module, below, above: (below[0] + 0.5,))
    x = m.ones(1, requires_grad=True)
    module(x).sum().backward()
    return [*log, listed(x.grad)]


@scenes.expect(["outer pre", "second pre", "second", "first pre", "first", "outer"])
def hooks_of_nested_modules_follow_the_backward_pass(m):
    log = []
    first, second = scale_by(m, 2), scale_by(m, 3)
    outer = m.nn.Sequential(first, second)
    for name, module in (("first", first), ("second", second), ("outer", outer)):
        module.register_full_backward_pre_hook(lambda *_, name=name: log.append(f"{name} pre"))
        module.register_full_backward_hook(lambda *_, name=name: log.append(name))
    outer(m.ones(1, requires_grad=True)).sum().backward()
    return log


@scenes.expect([[None], [[1.0]]])
def no_argument_requires_a_gradient(m):
    log = []
    module = m.nn.Linear(1, 1)
    module.register_full_backward_hook(
        lambda module, below, above: log.extend([listed(below), listed(above)[0]])
    )
    module(m.ones(1, 1)).sum().backward()
    return log


@scenes.expect([])
def nothing_requires_a_gradient(m):
    log = []
    module = scale_by(m, 2)
    module.register_full_backward_hook(lambda *_: log.append("called"))
    module(m.ones(1))
    with m.no_grad():
        module(m.ones(1, requires_grad=True))
    return log


@scenes.expect([1, 1, [12.0]])
def gradients_of_gradients_pass_through(m):
    calls = []

    class Cube(m.nn.Module):
        def forward(self, x):
            return x * x * x

    module = Cube()
    module.register_full_backward_hook(lambda *_: calls.append(1))
    x = m.full((1,), 2.0, requires_grad=True)
    (slope,) = m.autograd.grad(module(x).sum(), x, create_graph=True)
    counts = [len(calls)]
    (second,) = m.autograd.grad(slope.sum(), x)
    return [*counts, len(calls), listed(second)]


@scenes.expect([2, [4.0]])
def a_second_pass_calls_the_hooks_again(m):
    log = []
    module = scale_by(m, 2)
    module.register_full_backward_hook(lambda *_: log.append(1))
    x = m.ones(1, requires_grad=True)
    y = module(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return [len(log), listed(x.grad)]


@scenes.expect([["Named", [3.0], [4.0]], [7.0]])
def a_named_tuple_stays_one(m):
    from typing import NamedTuple

    class Named(NamedTuple):
        a: object
        b: object

    class Split(m.nn.Module):
        def forward(self, x):
            return Named(x * 3, x * 4)

    module = Split()
    module.register_full_backward_hook(lambda *_: None)
    x = m.ones(1, requires_grad=True)
    y = module(x)
    (y.a + y.b).sum().backward()
    return [[type(y).__name__, listed(y.a), listed(y.b)], listed(x.grad)]


@pytest.mark.parametrize(("scene", "log"), scenes)
def test_scenes(scene, log):
    assert play(scene) == log


@pytest.mark.parametrize(("scene", "log"), scenes)
def test_scenes_are_pytorchs(scene, log):
    assert play_in_pytorch(scene) == log


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("pre-", "a backward pre-hook returned 2 gradients in place of 1; return one for each"),
        ("", "a backward hook returned 2 gradients in place of 1; return one for each, None where"),
    ],
)
def test_backward_hooks_return_as_many_as_they_get(kind, message):
    module = nn.ReLU()
    register = (
        module.register_full_backward_pre_hook if kind else module.register_full_backward_hook
    )
    register(lambda *_: (dg.ones(1), dg.ones(1)))
    with pytest.raises(RuntimeError, match=message):
        module(dg.ones(1, requires_grad=True)).sum().backward()


def test_a_single_gradient_needs_no_tuple():
    module = nn.ReLU()
    module.register_full_backward_pre_hook(lambda module, above: above[0] * 2)
    module.register_full_backward_hook(lambda module, below, above: below[0] * 3)
    x = dg.ones(2, requires_grad=True)
    module(x).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_no_gradient_is_made_up_for_inputs_without():
    module = nn.Linear(1, 1)
    module.register_full_backward_hook(lambda *_: (dg.ones(1),))
    with pytest.raises(RuntimeError, match="Linear returned gradients of inputs, but no input"):
        module(dg.ones(1, 1)).sum().backward()


def test_an_output_without_gradients_to_be_seen_is_warned_of():
    class Listing(nn.Module):
        def forward(self, x):
            return [x]

    module = Listing()
    module.register_full_backward_hook(lambda *_: None)
    with pytest.warns(
        UserWarning, match="a Tensor or a tuple of them, got list: they are not"
    ) as w:
        module(dg.ones(1, requires_grad=True))
    assert w[0].filename == __file__


def small_model():
    with dg.autograd.random_scope(1):
        return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2))


def test_backward_hooks_that_only_look_change_no_bit():
    plain, hooked = small_model(), small_model()
    seen = []
    for module in hooked.modules():
        module.register_full_backward_pre_hook(lambda *_: None)
        module.register_full_backward_hook(lambda module, below, above: seen.append(module))
    x = dg.randn(5, 3, requires_grad=True)
    for model in (plain, hooked):
        model(x).square().sum().backward()
    assert seen == [hooked[3], hooked[2], hooked[1], hooked[0], hooked]
    for own, other in zip(hooked.parameters(), plain.parameters(), strict=True):
        assert own.grad.tolist() == other.grad.tolist()


def test_hooks_are_called_for_each_micro_batch():
    data = dg.data.TensorDataset(x=dg.randn(12, 3))
    plain, hooked = small_model(), small_model()
    shapes = []
    hooked[3].register_full_backward_hook(
        lambda module, below, above: shapes.append((below[0].shape, above[0].shape))
    )
    for model in (plain, hooked):
        replica = dg.distributed.DataParallel(model, dg.distributed.SingleProcess())
        (window,) = dg.data.GlobalBatches(data, 12, 4)
        replica.accumulate(lambda batch, r=replica: (r(batch.x).square().sum(), 4), window)
    assert shapes == [((4, 8), (4, 2))] * 3
    for own, other in zip(hooked.parameters(), plain.parameters(), strict=True):
        assert own.grad.tolist() == other.grad.tolist()
