"""What an op makes of its function and its rules."""

import numpy as np
import pytest

import distgrad as dg
from distgrad.ops.op import VariadicOp, op
from distgrad.tensor import apply


@op
def weighted(xp, *arrays, weights, scale=1.0):
    """The sum of the arrays, each times its weight."""
    return sum(x * w for x, w in zip(arrays, weights, strict=True)) * scale


@weighted.rule("arrays")
def _(xp, g, scale, position, weights):
    return g * (weights[position] * scale)


@op
def product(xp, *arrays):
    y = arrays[0]
    for x in arrays[1:]:
        y = y * x
    return y


@product.rule("arrays")
def _(xp, g, others):
    for x in others:
        g = g * x
    return g


def leaves(count: int) -> list[dg.Tensor]:
    values = np.random.default_rng(0).standard_normal((count, 3))
    return [dg.tensor(x, requires_grad=True) for x in values]


def test_a_rule_of_several_arrays_knows_which_it_serves() -> None:
    assert isinstance(weighted, VariadicOp)
    assert repr(weighted) == "<op weighted(arrays, weights, scale)>"
    inputs = leaves(3)
    apply(weighted, *inputs, weights=(1, 10, 100), scale=2).sum().backward()
    assert [x.grad.tolist() for x in inputs] == [[2] * 3, [20] * 3, [200] * 3]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_rule_of_several_arrays_gets_the_others_in_order(count) -> None:
    inputs = leaves(count)
    assert dg.autograd.gradcheck(lambda *xs: apply(product, *xs), inputs)
    assert dg.autograd.gradgradcheck(lambda *xs: apply(product, *xs), inputs)


def test_one_array_twice() -> None:
    (x,) = leaves(1)
    assert dg.autograd.gradgradcheck(lambda x: apply(product, x, x, 2.0, x), [x])


def test_only_the_others_are_kept() -> None:
    constant, x = dg.ones(3), dg.ones(3, requires_grad=True)
    y = apply(product, constant, x)
    x.detach().fill_(2)  # its own value does not matter to its gradient
    y.sum().backward()
    assert x.grad.tolist() == [1, 1, 1]
    y = apply(product, constant, x)
    constant.fill_(2)
    with pytest.raises(RuntimeError, match=r"'product' needs its 'arrays\[0\]' of shape \(3,\)"):
        y.sum().backward()


def test_arrays_and_numbers_may_stand_among_the_tensors() -> None:
    (x,) = leaves(1)
    apply(product, 2.0, np.arange(3.0), x).sum().backward()
    assert x.grad.tolist() == [0, 2, 4]


def test_inside_another_op_or_rule() -> None:
    a, b = np.arange(3.0), np.arange(3.0)
    np.testing.assert_array_equal(weighted(np, a, b, weights=(1, 2)), 3 * a)


def test_without_a_rule_nothing_is_recorded() -> None:
    @op
    def first(xp, *arrays):
        return arrays[0] * 1

    assert not apply(first, *leaves(2)).requires_grad


def test_a_rule_may_name_only_what_there_is() -> None:
    with pytest.raises(ValueError, match="has no input 'x'"):
        weighted.rule("x")
    for name in ("arrays", "y", "color"):
        with pytest.raises(ValueError, match=f"names '{name}', which the op does not have"):
            exec(f"@weighted.rule('arrays')\ndef _(xp, g, {name}): ...", {"weighted": weighted})
