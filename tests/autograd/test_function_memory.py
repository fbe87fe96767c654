"""What a `Function` may do with the memory of its arguments, and what is refused."""
# ruff: noqa: ARG004 (contexts and gradients belong to the interface)

import numpy as np
import pytest
from helpers.cube import Cube

import distgrad as dg
from distgrad.autograd import Function, grad


def leaf(*shape: int) -> dg.Tensor:
    values = np.random.default_rng(sum(shape)).uniform(0.5, 1.5, shape)
    return dg.tensor(values, requires_grad=True)


def test_a_dirty_input_that_is_not_returned() -> None:
    class Hidden(Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x * 1

    with pytest.raises(
        RuntimeError, match=r"Hidden\.forward marked an input dirty that it does no"
    ):
        Hidden.apply(leaf(2) * 1)


SHARED = [
    pytest.param(lambda x: x, id="the input"),
    pytest.param(lambda x: x[0], id="a view"),
    pytest.param(lambda x: x.detach(), id="detached"),
]


@pytest.mark.parametrize("look", SHARED)
def test_an_output_that_shows_an_argument_is_not_changed_in_place(look) -> None:
    class Look(Function):
        @staticmethod
        def forward(ctx, x):
            return look(x)

        @staticmethod
        def backward(ctx, gradient):
            return gradient if gradient.ndim else dg.stack([gradient, 0 * gradient])

    x = leaf(2)
    for given in (x, x * 1, (x * 1)[:]):
        y = Look.apply(given)
        for change in (y, y.reshape(-1)):
            with pytest.raises(
                RuntimeError, match=r"add_\(\): this output of a custom Function sho"
            ):
                change.add_(1)
    z = x * 1
    y = Look.apply(z)
    z.mul_(2)
    assert grad(z.sum(), x, retain_graph=True)[0].tolist() == [2, 2]
    with pytest.raises(RuntimeError, match=r"changed in place behind it.*return a clone\(\)"):
        y.sum().backward()


def test_a_view_beside_the_changed_input_that_it_shows() -> None:
    class Both(Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x[0], x

        @staticmethod
        def backward(ctx, first, gradient):
            return gradient * 2 + dg.stack([first * 2, 0 * first])

    x = leaf(2)
    first, changed = Both.apply(x * 1)
    assert grad(first * 5 + changed.sum(), x)[0].tolist() == [12, 2]


def test_a_constant_output_that_is_an_input() -> None:
    class Keep(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_non_differentiable(x)
            return x * 2, x

        @staticmethod
        def backward(ctx, gradient, _):
            return gradient * 2

    x = leaf(2)
    y, kept = Keep.apply(x)
    assert y.requires_grad
    assert not kept.requires_grad
    assert x.requires_grad


def test_a_recorded_pass_refuses_saved_tensors_that_are_changed_behind_it() -> None:
    x = leaf(2)
    (slope,) = grad(Cube.apply(x).sum(), x, create_graph=True)
    with dg.no_grad():
        x.mul_(2)
    with pytest.raises(RuntimeError, match=r"'power' needs its 'x' .* changed in place"):
        slope.sum().backward()
