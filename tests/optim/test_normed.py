"""LARS and LAMB: what their norms are of, and that they do not depend on where blocks lie."""

import math

import numpy as np
import pytest
from helpers import textbook
from helpers.optimizing import gradients, run, start
from hypothesis import given, settings
from hypothesis import strategies as st

import distgrad as dg
from distgrad import nn, optim
from distgrad.flat import BLOCK, FlatLayout

OPTIMIZERS = {
    "lars": lambda p, **options: optim.LARS(p, weight_decay=0.1, **options),
    "lamb": lambda p, **options: optim.LAMB(p, lr=0.01, **options),
}
every_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def stepped(make, values, grads, steps=2, adapt=True):
    """The parameters after steps with the same gradients; None for a parameter without one."""
    parameters = [nn.Parameter(value) for value in values]
    optimizer = make(parameters, adapt=adapt)
    for parameter, gradient in zip(parameters, grads, strict=True):
        parameter.grad = None if gradient is None else dg.Tensor(gradient)
    for _ in range(steps):
        optimizer.step()
    return optimizer, [parameter.data for parameter in parameters]


@every_optimizer
def test_the_step_does_not_depend_on_the_length_of_the_gradient(make):
    (value,), (gradient,) = start("float64", [(6, 5)]), gradients(1, "float64", [(6, 5)])[0]
    for adapt in (True, False):
        first, second = (
            stepped(make, [value.copy()], [gradient * f], 1, adapt)[1][0] for f in (1e3, 1e6)
        )
        moved = np.linalg.norm(first - value), np.linalg.norm(second - value)
        alike = moved[0] == pytest.approx(moved[1], rel=1e-3)
        # Adam's moments do away with the length of a gradient, too.
        assert alike == (adapt or make is OPTIMIZERS["lamb"])


@every_optimizer
@pytest.mark.parametrize("zero", ["parameter", "gradient"])
def test_a_norm_of_zero_counts_as_no_norm(make, zero):
    value = np.zeros(3) if zero == "parameter" else np.ones(3)
    gradient = np.zeros(3) if zero == "gradient" else np.ones(3)
    options = {"weight_decay": 0.0}
    make = type(make([nn.Parameter(np.ones(1))]))
    found = stepped(lambda p, **o: make(p, **options, **o), [value.copy()], [gradient], 1)[1]
    plain = stepped(lambda p, **o: make(p, **options, **o), [value.copy()], [gradient], 1, False)[1]
    np.testing.assert_array_equal(found[0], plain[0])
    assert np.isfinite(found[0]).all()


@every_optimizer
@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_what_is_not_finite_shows_without_a_warning(make, bad):
    _, (found, other) = stepped(
        make, [np.ones(3), np.ones(2)], [np.array([1.0, bad, 1.0]), np.ones(2)]
    )
    assert not np.isfinite(found).all()
    assert np.isfinite(other).all()


@every_optimizer
@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([0, 1, 5, 40_000, BLOCK, 150_000]), min_size=1, max_size=4),
    cut=st.integers(1, 4),
)
def test_slices_at_multiples_of_a_block_step_as_the_whole(make, sizes, cut):
    """What two ranks do that share flat arrays, each with one slice of every parameter."""
    shapes = [(size,) for size in sizes]
    layout = FlatLayout.of(((str(i), shape) for i, shape in enumerate(shapes)), np.float32)
    flats = [layout.zeros() for _ in range(4)]
    for flat, seed in zip(flats, (0, 1, 0, 1), strict=True):
        for view, array in zip(layout.views(flat), start("float32", shapes, seed), strict=True):
            view[...] = array
    whole, grad, values, slopes = flats
    stepped(make, layout.views(whole), layout.views(grad), 1)
    cut = min(cut * BLOCK, layout.size)
    slices = [layout.parts_within(0, cut), layout.parts_within(cut, layout.size)]
    step_of_ranks(make, [[(values[part], slopes[part]) for part in parts] for parts in slices])
    np.testing.assert_array_equal(values, whole)


def step_of_ranks(make, of_ranks):
    """One step of optimizers that each have a piece of every parameter, and its gradient."""
    twins = [[(value.copy(), slope) for value, slope in pieces] for pieces in of_ranks]
    told = []
    for pieces, twin in zip(of_ranks, twins, strict=True):
        # What a rank says is asked of an optimizer whose pieces lie where its own do.
        stepped(lambda p, **o: asked(make(p, **o), told), *zip(*pieces, strict=True), steps=1)
        for (value, _), (before, _) in zip(pieces, twin, strict=True):
            value[...] = before
    for pieces in of_ranks:
        stepped(lambda p, **o: knowing(make(p, **o), told), *zip(*pieces, strict=True), steps=1)


def asked(optimizer, told):
    def gather(sums):
        told.append(sums)
        return [sums]

    optimizer.all_gather = gather
    return optimizer


def knowing(optimizer, told):
    optimizer.all_gather = lambda _: told
    return optimizer


@every_optimizer
def test_groups_with_options_of_their_own_and_parameters_without_gradients(make):
    shapes = [(4, 3), (5,), (2, 2), ()]
    arrays, grads = start("float64", shapes), gradients(6, "float64", shapes)
    parameters = [nn.Parameter(a.copy()) for a in arrays]
    groups = [{"params": parameters[:2]}, {"params": parameters[2:], "adapt": False, "lr": 0.02}]
    optimizer = make(groups)
    seen = [[] for _ in parameters]
    for step, of_step in enumerate(grads):
        for place, (p, gradient) in enumerate(zip(parameters, of_step, strict=True)):
            p.grad = None if (step + place) % 3 == 0 else dg.Tensor(np.array(gradient))
            if p.grad is not None:
                seen[place].append(gradient)
        optimizer.step()
    reference = getattr(textbook, type(optimizer).__name__.lower())
    for place, (p, array) in enumerate(zip(parameters, arrays, strict=True)):
        group = optimizer.param_groups[place // 2]
        names = ("lr", "weight_decay", "adapt")
        expected = reference(array, seen[place], **{name: group[name] for name in names})
        np.testing.assert_allclose(p.data, expected, rtol=1e-12, atol=1e-14)


@every_optimizer
def test_strided_parameters_get_the_same_values(make):
    arrays, grads = start("float64", [(30, 20)]), gradients(3, "float64", [(30, 20)])
    _, expected = run(make, arrays, grads)
    parameter = nn.Parameter(np.asfortranarray(arrays[0]))
    optimizer = make([parameter])
    for (gradient,) in grads:
        parameter.grad = dg.Tensor(np.asfortranarray(gradient))
        optimizer.step()
    np.testing.assert_array_equal(parameter.data, expected[0].data)


@every_optimizer
def test_the_update_is_in_place_and_announced(make):
    value, gradient = np.ones((3, 2), np.float32), np.ones((3, 2), np.float32)
    optimizer, (found,) = stepped(make, [value], [gradient])
    assert found is value
    assert optimizer.param_groups[0]["params"][0].version.number == 2
    np.testing.assert_array_equal(gradient, 1.0)
