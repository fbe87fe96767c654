import gc
import weakref

import numpy as np
import pytest
from helpers.optimizing import flat_views, gradients, run, separate, start
from hypothesis import given, settings
from hypothesis import strategies as st

import distgrad as dg
from distgrad import nn, optim

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.01),
    "momentum": lambda p: optim.SGD(p, lr=0.01, momentum=0.9, dampening=0.1, weight_decay=0.1),
    "nesterov": lambda p: optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True, maximize=True),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.01, weight_decay=0.1),
    "adam": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.1),
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
    "adadelta": lambda p: optim.Adadelta(p, weight_decay=0.1),
    "adamax": lambda p: optim.Adamax(p, lr=0.01, maximize=True),
    "lion": lambda p: optim.Lion(p, lr=0.01, weight_decay=0.1),
    "nadam": lambda p: optim.NAdam(p, lr=0.01, momentum_decay=0.5),
    "radam": lambda p: optim.RAdam(p, lr=0.01, betas=(0.5, 0.8)),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
}
every_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def run_flat(make, arrays, grads):
    """As `run`, with parameters and gradients that stay in two flat buffers."""
    parameters = [nn.Parameter(view) for view in flat_views(arrays)]
    views = flat_views([np.zeros_like(array) for array in arrays])
    for parameter, view in zip(parameters, views, strict=True):
        parameter.grad = dg.Tensor(view)
    optimizer = make(parameters)
    for of_step in grads:
        for view, gradient in zip(views, of_step, strict=True):
            view[...] = gradient
        optimizer.step()
    return optimizer, parameters


def same_bits(a, b):
    for p, q in zip(a, b, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


@every_optimizer
@settings(max_examples=20, deadline=None)
@given(
    shapes=st.lists(st.sampled_from([(), (0,), (5,), (16,), (3, 32), (70_000,)]), min_size=1),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 99),
)
def test_joined_parameters_get_the_bits_of_separate_ones(make, shapes, dtype, seed):
    arrays, grads = start(dtype, shapes, seed), gradients(3, dtype, shapes, seed)
    one, alone = run(make, arrays, grads)
    other, joined = run_flat(make, arrays, grads)
    same_bits(alone, joined)
    for p, q in zip(alone, joined, strict=True):
        assert one.state[p].keys() == other.state[q].keys()
        for name, value in one.state[p].items():
            if isinstance(value, dg.Tensor):
                np.testing.assert_array_equal(value.data, other.state[q][name].data)


@every_optimizer
def test_strided_parameters_get_the_same_bits(make):
    arrays, grads = start("float32", [(30, 20)]), gradients(3, "float32", [(30, 20)])
    _, expected = run(make, arrays, grads)
    parameter = nn.Parameter(np.asfortranarray(arrays[0]))
    optimizer = make([parameter])
    for (gradient,) in grads:
        parameter.grad = dg.Tensor(np.asfortranarray(gradient))
        optimizer.step()
    np.testing.assert_array_equal(parameter.data, expected[0].data)


@every_optimizer
def test_the_update_is_in_place_and_announced(make):
    parameters = separate(start("float32"))
    frozen = nn.Parameter(dg.ones(2))
    optimizer = make([*parameters, frozen])
    for p in parameters:
        p.grad = dg.Tensor(np.ones_like(p.data))
    arrays = [p.data for p in parameters]
    gradient = [p.grad.data.copy() for p in parameters]
    optimizer.step()
    for p, array, g in zip(parameters, arrays, gradient, strict=True):
        assert p.data is array
        assert p.version.number == 1
        np.testing.assert_array_equal(p.grad.data, g)
    assert frozen.tolist() == [1.0, 1.0]
    assert frozen.version.number == 0
    assert frozen not in optimizer.state


def test_a_step_between_forward_and_backward_is_refused_by_backward():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    model(dg.ones(1, 2)).sum().backward()
    loss = model(dg.ones(1, 2)).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="in place"):
        loss.backward()


@every_optimizer
@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_parameters_with_and_without_gradients_in_any_order(make, present):
    shapes = [(16,), (32,), (16,), (5,)]
    arrays, grads = start("float32", shapes), gradients(len(present), "float32", shapes)
    joined = [nn.Parameter(view) for view in flat_views(arrays)]
    views = flat_views(arrays)
    alone = separate(arrays)
    together, single = make(joined), [make([p]) for p in alone]
    for of_step, mask in zip(grads, present, strict=True):
        for p, q, view, g, here in zip(joined, alone, views, of_step, mask, strict=True):
            view[...] = g
            p.grad = dg.Tensor(view) if here else None
            q.grad = dg.Tensor(g) if here else None
        together.step()
        for optimizer in single:
            optimizer.step()
    same_bits(joined, alone)


def test_a_layout_of_whole_lines_is_one_segment():
    arrays = start("float32", [(64, 32), (32,), (32, 16), (16,)])
    optimizer, _ = run_flat(
        OPTIMIZERS["adamw"], arrays, gradients(2, "float32", [a.shape for a in arrays])
    )
    ((segment, _),) = optimizer._plans[0].parts
    assert segment.rows == 4


def test_segments_are_kept_until_an_array_changes():
    arrays, grads = start("float32"), gradients(1, "float32")
    optimizer, parameters = run_flat(OPTIMIZERS["adam"], arrays, grads)
    plan = optimizer._plans[0]
    optimizer.step()
    assert optimizer._plans[0] is plan
    parameters[0].grad = dg.Tensor(parameters[0].grad.data.copy())
    optimizer.step()
    assert optimizer._plans[0] is not plan
    plan = optimizer._plans[0]
    parameters[1].data = parameters[1].data.copy()
    optimizer.step()
    assert optimizer._plans[0] is not plan
    plan = optimizer._plans[0]
    optimizer.state[parameters[0]]["exp_avg"] = dg.Tensor(np.zeros_like(arrays[0]))
    optimizer.step()
    assert optimizer._plans[0] is not plan


def test_a_state_put_in_by_hand_is_the_one_that_is_used():
    p = nn.Parameter(dg.zeros(2))
    optimizer = optim.SGD([p], lr=1.0, momentum=0.5)
    p.grad = dg.ones(2)
    optimizer.step()
    optimizer.state[p]["momentum_buffer"] = dg.full((2,), 8.0)
    optimizer.step()
    assert p.tolist() == [-6.0, -6.0]


def test_dropped_gradients_free_their_memory():
    p = nn.Parameter(dg.zeros(4))
    optimizer = optim.Adam([p])
    p.grad = dg.ones(4)
    array = weakref.ref(p.grad.data)
    optimizer.step()
    optimizer.zero_grad()
    gc.collect()
    assert array() is None


def test_groups_of_mixed_types():
    single, double = nn.Parameter(dg.ones(3)), nn.Parameter(dg.ones(3, dtype=np.float64))
    optimizer = optim.Adam([single, double], lr=0.1)
    single.grad, double.grad = dg.ones(3), dg.ones(3, dtype=np.float64)
    optimizer.step()
    assert single.dtype == np.float32
    assert optimizer.state[double]["exp_avg"].dtype == np.float64
    np.testing.assert_allclose(single.data, 0.9, rtol=1e-6)
    np.testing.assert_allclose(double.data, 0.9, rtol=1e-7)


def test_nothing_to_update():
    optimizer = optim.Adam([nn.Parameter(dg.ones(2)), nn.Parameter(dg.zeros(0, 3))])
    optimizer.step()
    optimizer.param_groups[0]["params"][1].grad = dg.zeros(0, 3)
    optimizer.step()


def test_a_gradient_of_another_shape_is_refused():
    p = nn.Parameter(dg.ones(3))
    p.grad = dg.ones(3, 1)
    with pytest.raises(ValueError, match=r"parameter 0 has shape \(3, 1\), but .* shape \(3,\)"):
        optim.SGD([p]).step()
    assert p.tolist() == [1.0] * 3
