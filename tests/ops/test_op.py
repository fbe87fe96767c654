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


# What rules share


def test_what_rules_share_is_made_once_and_stands_in_for_the_gradient() -> None:
    made = []

    @op
    def doubled_product(xp, a, b, /, factor):
        return a * b * factor

    @doubled_product.shared
    def _(xp, g, y, factor):
        made.append(y.shape)
        return g * factor

    @doubled_product.rule("a")
    def _(xp, g, b):
        return g * b

    @doubled_product.rule("b")
    def _(xp, g, a):
        return g * a

    a, b = leaves(2)
    assert doubled_product.saved_arrays == ("y", "b", "a")
    apply(doubled_product, a, b, factor=2.0).sum().backward()
    assert made == [(3,)]
    np.testing.assert_array_equal(a.grad.data, 2 * b.data)
    np.testing.assert_array_equal(b.grad.data, 2 * a.data)
    assert dg.autograd.gradgradcheck(lambda a, b: apply(doubled_product, a, b, factor=2.0), [a, b])


def test_what_the_shared_part_needs_is_kept_and_freed_whatever_wants_a_gradient() -> None:
    @op
    def shifted(xp, a, b):
        return a * a + b

    @shifted.shared
    def _(xp, g, a):
        return g * (a * 0 + 1)

    @shifted.rule("a")
    def _(xp, g, a):
        return g * a * 2

    @shifted.rule("b")
    def _(xp, g):
        return g

    a, b = leaves(2)
    y = apply(shifted, a.detach(), b).sum()
    y.backward()
    assert b.grad.tolist() == [1] * 3
    with pytest.raises(RuntimeError, match="'shifted' a second time: the values saved for it were"):
        y.backward()
    y = apply(shifted, a, b)
    with dg.no_grad():
        a.add_(1)
    with pytest.raises(RuntimeError, match=r"'shifted' needs its 'a' .* changed in place"):
        y.sum().backward()


def test_a_shared_part_that_names_what_the_op_does_not_have_is_refused() -> None:
    @op
    def plain(xp, a):
        return a

    with pytest.raises(ValueError, match=r"a rule of <op plain.*names 'b', which the op does not"):

        @plain.shared
        def _(xp, g, b):
            return g
