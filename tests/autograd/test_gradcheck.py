"""`gradcheck` and `gradgradcheck` find wrong gradients and say where."""

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
