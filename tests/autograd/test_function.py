"""Operations of the user's own: `Function`."""
# ruff: noqa: ARG004 (contexts and gradients belong to the interface)

import gc
import weakref

import numpy as np
import pytest

import distgrad as dg
from distgrad.autograd import Function, grad, gradcheck, gradgradcheck, once_differentiable


class Scaled(Function):
    """``x * y * factor``, with everything that a context offers."""

    @staticmethod
    def forward(ctx, x, factor, y):
        ctx.save_for_backward(x, None, y)
        ctx.factor = factor
        return x * y * factor

    @staticmethod
    def backward(ctx, gradient):
        x, nothing, y = ctx.saved_tensors
        assert nothing is None
        needs_x, needs_factor, needs_y = ctx.needs_input_grad
        assert not needs_factor
        return (
            gradient * y * ctx.factor if needs_x else None,
            None,
            gradient * x * ctx.factor if needs_y else None,
        )


class PolarToPlane(Function):
    """Two outputs, a third that is no tensor, saved outputs."""

    @staticmethod
    def forward(ctx, radius, angle):
        x, y = radius * angle.cos(), radius * angle.sin()
        ctx.save_for_backward(x, y, radius)
        return x, y, "plane"

    @staticmethod
    def backward(ctx, above_x, above_y, above_name):
        assert above_name is None
        x, y, radius = ctx.saved_tensors
        return (above_x * x + above_y * y) / radius, above_y * x - above_x * y


class Exponential(Function):
    """In the style with a context of its own."""

    @staticmethod
    def forward(x):
        return x.exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)
        assert len(inputs) == 1

    @staticmethod
    def backward(ctx, gradient):
        (y,) = ctx.saved_tensors
        return gradient * y


def leaf(*shape: int) -> dg.Tensor:
    values = np.random.default_rng(sum(shape)).uniform(0.5, 1.5, shape)
    return dg.tensor(values, requires_grad=True)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: Scaled.apply(x, 3.0, y),
        lambda x, y: PolarToPlane.apply(x, y)[:2],
        lambda x, y: PolarToPlane.apply(x, y)[1],
        lambda x, y: Exponential.apply(Exponential.apply(x) * y),
    ],
)
def test_gradients_of_first_and_second_order(function) -> None:
    inputs = [leaf(2, 3), leaf(3, 2).T]
    inputs = [x.detach().requires_grad_() for x in inputs]
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_an_argument_without_gradient() -> None:
    x = leaf(3)
    y = Scaled.apply(x, 2.0, dg.ones(3, dtype=dg.float64))
    assert y.grad_fn.name == "Scaled"
    assert grad(y.sum(), x)[0].tolist() == [2, 2, 2]


def test_gradients_are_summed_over_broadcast_axes_and_converted() -> None:
    class Add(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, gradient):
            return gradient, gradient.to(dg.float32)

    x, y = leaf(2, 3), leaf(1, 3)
    first, second = grad(Add.apply(x, y).sum(), [x, y])
    assert first.shape == (2, 3)
    assert second.tolist() == [[2, 2, 2]]
    assert second.dtype == dg.float64


def test_nothing_is_recorded_without_need() -> None:
    assert not Exponential.apply(dg.ones(2)).requires_grad
    x = leaf(2)
    with dg.no_grad():
        assert not Exponential.apply(x).requires_grad


def test_inside_forward_nothing_is_recorded() -> None:
    seen = []

    class Look(Function):
        @staticmethod
        def forward(ctx, x):
            seen.append((x * 2).requires_grad)
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            seen.append((gradient * 2).requires_grad)
            return gradient * 2

    x = leaf(2)
    Look.apply(x).sum().backward()
    assert seen == [False, False]


def test_unused_outputs_get_zeros_or_none() -> None:
    given = []

    def both(materialize):
        class Both(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(materialize)
                return x * 1, x * 2

            @staticmethod
            def backward(ctx, first, second):
                given.append(second if second is None else second.tolist())
                return first

        return Both

    for materialize in (True, False):
        both(materialize).apply(leaf(2))[0].sum().backward()
    assert given == [[0, 0], None]


def test_outputs_marked_or_of_integers_have_no_gradient() -> None:
    class Sorted(Function):
        @staticmethod
        def forward(ctx, x):
            values, places = x.sort()
            copy = values.clone()
            ctx.mark_non_differentiable(copy)
            ctx.save_for_backward(places)
            return values, places, copy

        @staticmethod
        def backward(ctx, gradient, _, __):
            (places,) = ctx.saved_tensors
            return dg.zeros_like(gradient).scatter(0, places, gradient)

    x = leaf(4)
    values, places, copy = Sorted.apply(x)
    assert not places.requires_grad
    assert not copy.requires_grad
    (gradient,) = grad((values * dg.arange(4.0)).sum(), x)
    assert gradient.tolist() == np.argsort(np.argsort(x.detach().numpy())).tolist()


class Doubled(Function):
    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


def test_inputs_changed_in_place() -> None:
    x = leaf(2)
    y = x * 1
    assert Doubled.apply(y) is y
    assert grad(y.sum(), x)[0].tolist() == [2, 2]
    y = x * 1
    Doubled.apply(y[0])
    assert grad(y.sum(), x)[0].tolist() == [2, 1]
    with pytest.raises(RuntimeError, match="a leaf that requires a gradient, or a view of it"):
        Doubled.apply(x)


def test_an_output_that_is_an_input() -> None:
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 5

    x = leaf(2)
    y = Same.apply(x)
    assert y is not x
    assert y.version is x.version
    assert grad(y.sum(), x)[0].tolist() == [5, 5]
    assert x.is_leaf


def test_saved_tensors_are_checked_and_freed() -> None:
    x, y = leaf(2), leaf(2)
    z = Scaled.apply(x, 1.0, y).sum()
    z.backward(retain_graph=True)
    z.backward()
    with pytest.raises(RuntimeError, match=r"'Scaled' a second time.*retain_graph=True"):
        z.backward()
    z = Scaled.apply(x, 1.0, y)
    with dg.no_grad():
        y.add_(1)
    with pytest.raises(
        RuntimeError,
        match=r"'Scaled' needs its 'saved_tensors\[2\]' of shape \(2,\) .* at version 0 and is at",
    ):
        z.sum().backward()


def returning(value):
    class Returning(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, gradient):
            return value(gradient)

    return Returning


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (lambda g: g, RuntimeError, "returned 1 gradients, but .* with 2 arguments: return one"),
        (lambda g: (g, g, g), RuntimeError, "returned 3 gradients"),
        (lambda g: (g, 1.0), TypeError, "returned float for argument 1; a gradient is a Tensor"),
        (lambda g: (g[:1], g), RuntimeError, r"shape \(1,\) for argument 0, .* shape \(2,\)"),
    ],
)
def test_wrong_gradients_are_refused(value, error, message) -> None:
    with pytest.raises(error, match=message):
        returning(value).apply(leaf(2), leaf(2)).sum().backward()


def test_more_nones_than_arguments_are_allowed() -> None:
    x = leaf(2)
    returning(lambda g: (g, None, None)).apply(x, leaf(2)).sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_wrong_uses_are_refused() -> None:
    with pytest.raises(RuntimeError, match=r"call Scaled.apply\(...\)"):
        Scaled()
    with pytest.raises(NotImplementedError, match=r"static method forward\(ctx, \*args\)"):
        Function.apply(leaf(1))

    class NoBackward(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    with pytest.raises(NotImplementedError, match=r"static method backward\(ctx, \*gradients\)"):
        NoBackward.apply(leaf(1)).sum().backward()

    class SavesANumber(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, 2.0)

    with pytest.raises(TypeError, match="takes Tensors and None, got float; set"):
        SavesANumber.apply(leaf(1))


def test_once_differentiable() -> None:
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        @once_differentiable
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            return gradient * 2 * x

    x = leaf(2)
    (slope,) = grad(Once.apply(x).sum(), x, create_graph=True)
    np.testing.assert_array_equal(slope.detach().numpy(), 2 * x.detach().numpy())
    y = Once.apply(x * 1)
    (slope,) = grad((y * y).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="marked with once_differentiable has no gradient"):
        slope.sum().backward()


def test_the_graph_of_a_function_is_no_cycle() -> None:
    gc.collect()
    gc.disable()
    try:
        x = leaf(2)
        first, _, _ = PolarToPlane.apply(x, leaf(2))
        node = weakref.ref(first.grad_fn.edges[0])
        del first
        assert node() is None
    finally:
        gc.enable()


def test_only_what_leads_to_the_inputs_is_walked() -> None:
    x, y = leaf(2), leaf(2)
    z = Scaled.apply(x, 1.0, y)
    z.register_hook(lambda g: g * 2)
    assert grad(z.sum(), y)[0].tolist() == (2 * x).tolist()
    assert x.grad is None


def test_within_a_model_split_over_micro_batches() -> None:
    x = leaf(6, 3)
    whole = grad(Scaled.apply(x, 2.0, x).sum(), x)[0]
    for rows in (slice(0, 2), slice(2, 6)):
        Scaled.apply(x[rows], 2.0, x[rows]).sum().backward()
    assert x.grad.tolist() == whole.tolist()
