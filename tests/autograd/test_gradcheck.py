"""`gradcheck` and `gradgradcheck` find wrong gradients and say where."""

import inspect

import numpy as np
import pytest

import distgrad as dg
from distgrad import ops
from distgrad.autograd import GradcheckError, gradcheck, gradgradcheck
from distgrad.tensor import apply


@ops.op
def wrong(xp, x):
    return x * x * x


@wrong.rule("x")
def _(xp, g, x):
    return g * (x * x * 3.01)


@ops.op
def wrong_twice(xp, x):
    return x * x


@wrong_twice.rule("x")
def _(xp, g, x):
    slope = x * 2
    return g * (slope.data if hasattr(slope, "node") else slope)  # lost for the second order


def inputs(*shape: int) -> dg.Tensor:
    return dg.tensor(np.linspace(0.5, 2.0, int(np.prod(shape))).reshape(shape), requires_grad=True)


def test_a_wrong_gradient_is_found_and_placed() -> None:
    fixed = dg.ones(2, dtype=dg.float64)
    message = (
        r"output 0 by input 1: the gradient of output element 0 by input element 0 is 0\.7525\d*, "
        r"but central differences give 0\.75"
    )
    with pytest.raises(GradcheckError, match=message):
        gradcheck(lambda a, x: apply(wrong, x) + a, [fixed, inputs(2)])
    assert not gradcheck(lambda x: apply(wrong, x), inputs(2), raise_exception=False)
    assert gradcheck(lambda x: apply(wrong, x), inputs(2), rtol=0.1)
    assert gradcheck(lambda x: apply(wrong, x), inputs(2), atol=1.0)


def test_a_wrong_second_output_is_found() -> None:
    with pytest.raises(GradcheckError, match="output 1 by input 0"):
        gradcheck(lambda x: (x * 1, apply(wrong, x)), inputs(2))


def test_a_gradient_lost_for_the_second_order_is_found() -> None:
    assert gradcheck(lambda x: apply(wrong_twice, x), inputs(2))
    with pytest.raises(GradcheckError):
        gradgradcheck(lambda x: apply(wrong_twice, x), inputs(2))
    assert not gradgradcheck(lambda x: apply(wrong_twice, x), inputs(2), raise_exception=False)


def test_several_inputs_and_outputs() -> None:
    def both(a: dg.Tensor, b: dg.Tensor) -> tuple[dg.Tensor, dg.Tensor]:
        return a * b, (a @ b.T).tanh()

    pair = [inputs(2, 3), inputs(2, 3)]
    assert gradcheck(both, pair)
    assert gradgradcheck(both, pair)


def test_inputs_are_as_before() -> None:
    x = inputs(3)
    before = x.data.copy()
    gradcheck(lambda x: x * x, x)
    np.testing.assert_array_equal(x.data, before)
    assert x.grad is None


def test_refuses_inputs_without_gradients() -> None:
    with pytest.raises(ValueError, match="an input that requires a gradient"):
        gradcheck(lambda x: x * 2, dg.ones(2))


def test_inputs_of_any_layout() -> None:
    strided = np.arange(12.0).reshape(3, 4)[:, ::2].T
    assert gradcheck(lambda x: x * x, dg.Tensor(strided, requires_grad=True))


# What two backward passes give


@ops.op
def drifting(xp, x):
    return x * 2


_passes = iter(range(10**9))


@drifting.rule("x")
def _(xp, g):
    return g * (2 + 1e-9 * next(_passes))


@ops.op
def careless(xp, x):
    return x * 2


@careless.rule("x")
def _(xp, g, x):
    return g * 0 + 2  # does not multiply by the gradient from above


def test_passes_that_differ_are_found() -> None:
    message = r"input 0: two backward passes differ by up to .*, and nondet_tol=0\.0 allows less"
    with pytest.raises(GradcheckError, match=message):
        gradcheck(lambda x: apply(drifting, x), inputs(2))
    assert gradcheck(lambda x: apply(drifting, x), inputs(2), nondet_tol=1e-6)


def test_a_gradient_that_ignores_the_one_from_above_is_found() -> None:
    def call(x: dg.Tensor) -> dg.Tensor:
        return apply(careless, x)

    with pytest.raises(GradcheckError, match="the gradient is not 0 where those of all outputs"):
        gradcheck(call, inputs(1))
    assert gradcheck(call, inputs(1), check_undefined_grad=False)


# Inputs


def test_single_precision_is_warned_of() -> None:
    x = dg.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match=r"input 0 is of float32, .* convert it with \.double\(\)"):
        assert gradcheck(lambda x: x * 2, x, atol=0.1)


@pytest.mark.parametrize(
    "array",
    [
        np.broadcast_to(np.ones(1), 3),
        np.broadcast_to(np.ones((2, 1)), (2, 3)),
        np.lib.stride_tricks.sliding_window_view(np.arange(4.0), 2),
    ],
)
def test_inputs_that_overlap_are_refused(array: np.ndarray) -> None:
    x = dg.Tensor(array, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"input 1, of shape .* share memory.*pass a clone"):
        gradcheck(lambda a, x: a * x.sum(), (inputs(2), x))
    assert gradcheck(lambda x: x * 2, x.detach().clone().requires_grad_())


def test_inputs_that_share_memory_are_refused() -> None:
    x = inputs(3)
    part = dg.Tensor(x.data[1:], requires_grad=True)
    with pytest.raises(RuntimeError, match="inputs 0 and 1 share memory, so that a step of one"):
        gradcheck(lambda x, y: x.sum() * y, (x, part))
    assert gradcheck(lambda x, y: x * y, (x, x))


# Outputs


def test_outputs_without_gradients() -> None:
    assert gradcheck(lambda x: (x * 2, (x * 2).detach(), x > 1), inputs(2))
    assert gradcheck(lambda x: (x > 1, dg.ones(2, dtype=dg.float64)), inputs(2))
    with pytest.raises(GradcheckError, match=r"output 0 by input 0: .* is 0, but .* give 2"):
        gradcheck(lambda x: (x * 2).detach(), inputs(2))


def test_gradients_from_above_are_inputs_of_the_second_order() -> None:
    above = dg.tensor([2.0, -1.0], dtype=dg.float64, requires_grad=True)
    assert gradgradcheck(lambda x: x**3, inputs(2), above)
    assert gradgradcheck(lambda x: (x**3, x.detach()), inputs(2), [above])


# Along one direction


def test_fast_mode() -> None:
    def both(a: dg.Tensor, b: dg.Tensor) -> tuple[dg.Tensor, dg.Tensor]:
        return a * b, (a @ b.T).tanh()

    pair = [inputs(2, 3), inputs(2, 3)]
    assert gradcheck(both, pair, fast_mode=True)
    assert gradgradcheck(both, pair, fast_mode=True)
    message = "output 1 by input 0: the slope along a random direction is .*fast_mode=True the elem"
    errors = []
    for _ in range(2):
        with pytest.raises(GradcheckError, match=message) as error:
            gradcheck(lambda x: (x * 1, apply(wrong, x)), inputs(3), fast_mode=True, atol=0)
        errors.append(str(error.value))
    assert errors[0] == errors[1]
    assert not gradcheck(
        lambda x: apply(wrong, x), inputs(3), fast_mode=True, atol=0, raise_exception=False
    )
    assert gradcheck(lambda x: x.sum() * 2, inputs(0), fast_mode=True)


def test_fast_mode_leaves_the_input_and_the_random_scope_alone() -> None:
    x = inputs(2, 2)
    before = x.data.copy()
    dg.manual_seed(3)
    expected = dg.rand(1).item()
    dg.manual_seed(3)
    gradcheck(lambda x: x * x, x, fast_mode=True)
    assert dg.rand(1).item() == expected
    np.testing.assert_array_equal(x.data, before)


def test_arguments_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    ours = dict(inspect.signature(gradcheck).parameters)
    theirs = inspect.signature(torch.autograd.gradcheck).parameters
    for name, parameter in ours.items():
        assert theirs[name].default == parameter.default
    left_out = {"check_batched_grad", "check_batched_forward_grad", "check_forward_ad", "masked"}
    assert set(theirs) - set(ours) == left_out | {"check_backward_ad"}
