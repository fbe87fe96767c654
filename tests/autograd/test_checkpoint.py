"""Checkpointing: the same bits from less memory."""

import tracemalloc

import numpy as np
import pytest
from helpers.cube import Cube

import distgrad as dg
from distgrad import nn
from distgrad.autograd import checkpoint, checkpoint_sequential, grad, is_recomputing


def leaf(*shape: int) -> dg.Tensor:
    values = np.random.default_rng(sum(shape)).uniform(0.5, 1.5, shape)
    return dg.tensor(values, requires_grad=True)


def block(x: dg.Tensor, w: dg.Tensor) -> dg.Tensor:
    return (x @ w).tanh() * (x @ w).exp() / 3


def called(function, *arguments):
    return function(*arguments)


def test_gradients_have_the_same_bits() -> None:
    x, w = leaf(4, 3), leaf(3, 3)
    expected = grad((block(block(x, w), w) ** 2).sum(), [x, w])
    y = checkpoint(block, checkpoint(block, x, w), w=w)
    for g, e in zip(grad((y**2).sum(), [x, w]), expected, strict=True):
        assert g.tolist() == e.tolist()


def test_parameters_that_are_no_arguments_and_several_outputs() -> None:
    layer = nn.Linear(3, 3)
    x = dg.randn(4, 3)

    def both(x):
        return layer(x).sigmoid(), {"other": layer(x).tanh().exp()}

    results = []
    for run in (called, checkpoint):
        layer.zero_grad()
        first, rest = run(both, x)
        (first.sum() + rest["other"].sum()).backward()
        results.append([p.grad.tolist() for p in layer.parameters()])
    assert results[0] == results[1]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_every_order(order) -> None:
    def slope(run):
        x = leaf(3)
        y = run(lambda x: (x**3).sin() * x.exp(), x)
        for _ in range(order):
            (y,) = grad(y.sum(), x, create_graph=True)
        return y.tolist()

    assert slope(checkpoint) == slope(called)


def test_random_draws_are_repeated() -> None:
    def run(how):
        dg.manual_seed(3)
        x = leaf(50)
        dg.rand(2)
        y = how(lambda x: nn.functional.dropout(x * x, 0.5) * dg.rand(50), x)
        after = dg.rand(1).item()
        (g,) = grad(y.sum() + dg.rand(1).sum(), x)
        return g.tolist(), after, dg.rand(1).item()

    assert run(checkpoint) == run(called)


def test_running_statistics_follow_the_first_run_only() -> None:
    layer, x = nn.BatchNorm1d(3), dg.randn(8, 3)
    checkpoint(lambda x: layer(x).tanh(), x).sum().backward()
    assert layer.num_batches_tracked.item() == 1
    assert layer.weight.grad is not None


def test_nested() -> None:
    calls = []

    def inner(x):
        calls.append(is_recomputing())
        return x.exp().tanh().sin()

    def outer(x):
        y = checkpoint(inner, x)
        return checkpoint(inner, y).exp()

    x = leaf(3)
    expected = grad(inner(inner(x)).exp().sum(), x)[0]
    calls.clear()
    y = checkpoint(outer, x)
    assert calls == [False, False]
    assert grad(y.sum(), x)[0].tolist() == expected.tolist()
    # The outer function once more, and each inner one twice: for the outer's sake and its own.
    assert calls == [False, False, True, True, True, True]


def test_a_second_pass_over_a_retained_graph() -> None:
    x = leaf(3)
    y = checkpoint(lambda x: (x * x).exp(), x).sum()
    first = grad(y, x, retain_graph=True)[0].tolist()
    assert grad(y, x)[0].tolist() == first
    with pytest.raises(RuntimeError, match="a second time"):
        grad(y, x)


def test_memory_is_that_of_one_block() -> None:
    x = dg.ones(100_000, requires_grad=True)

    def deep(x):
        for _ in range(10):
            x = x.sin()
        return x

    def peak(run):
        tracemalloc.start()
        try:
            y = x
            for _ in range(5):
                y = run(deep, y)
            held = tracemalloc.get_traced_memory()[0]
            y.sum().backward()
            return held, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    array = x.data.nbytes
    held, most = peak(checkpoint)
    assert held < 7 * array
    assert most < 20 * array
    assert peak(called)[0] > 48 * array


def test_a_function_that_does_something_else_the_second_time() -> None:
    calls = []

    def fickle(x):
        calls.append(1)
        return x.exp() if len(calls) == 1 else x

    y = checkpoint(fickle, leaf(3))
    with pytest.raises(RuntimeError, match="other operations when it was called again: 1 saved"):
        y.sum().backward()


def test_values_changed_in_place_are_found() -> None:
    x = dg.ones(3, dtype=dg.float64)
    w = leaf(3)
    y = checkpoint(lambda: w * x)
    x.add_(1)
    with pytest.raises(RuntimeError, match="saved at version 0 and is at version 1"):
        y.sum().backward()


def test_arguments_that_were_changed_are_refused() -> None:
    w, x = leaf(3), dg.ones(3, dtype=dg.float64)
    y = checkpoint(lambda x: w * x.exp(), x)
    x.add_(1)
    z = checkpoint(lambda x: (w * x.add_(1)).exp(), x)
    for result in (y, z):
        with pytest.raises(RuntimeError, match="argument of a checkpointed function was changed"):
            result.sum().backward()


@pytest.mark.parametrize("inner", [called, checkpoint])
def test_gradients_inside_the_function(inner) -> None:
    def force(x):
        (slope,) = grad((inner(dg.sin, x) ** 3).sum(), x, create_graph=True)
        return slope.tanh() * x

    x = leaf(3)
    expected = grad(force(x).sum(), x)[0].tolist()
    assert grad(checkpoint(force, x).sum(), x)[0].tolist() == expected


def test_without_recording_it_is_a_call() -> None:
    with dg.no_grad():
        assert not checkpoint(lambda x: x * 2, leaf(3)).requires_grad


def test_functions_of_the_user_are_recomputed_too() -> None:
    x = leaf(3)
    y = checkpoint(lambda x: Cube.apply(x.exp()), x)
    expected = grad(Cube.apply(x.exp()).sum(), x)[0].tolist()
    assert grad(y.sum(), x)[0].tolist() == expected


@pytest.mark.parametrize("segments", [1, 2, 3, 5])
def test_sequential(segments) -> None:
    layers = nn.Sequential(
        nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 1)
    )
    x = dg.randn(5, 3)
    results = []
    for run in (layers, lambda x: checkpoint_sequential(layers, segments, x)):
        layers.zero_grad()
        dg.manual_seed(1)
        run(x).sum().backward()
        results.append([p.grad.tolist() for p in layers.parameters()])
    assert results[0] == results[1]


@pytest.mark.parametrize("segments", [0, 3])
def test_segments_that_do_not_fit(segments) -> None:
    with pytest.raises(ValueError, match=f"segments is {segments}, but 2 functions .* 1 to 2"):
        checkpoint_sequential([abs, abs], segments, dg.ones(1))
