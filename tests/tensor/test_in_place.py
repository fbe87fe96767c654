"""Changes in place: of plain tensors, under no_grad, and what a graph refuses or records."""

import operator

import numpy as np
import pytest

import distgrad as dg

AUGMENTED = [
    pytest.param(operator.iadd, 5.0, id="+="),
    pytest.param(operator.isub, 1.0, id="-="),
    pytest.param(operator.imul, 6.0, id="*="),
    pytest.param(operator.itruediv, 1.5, id="/="),
]


@pytest.mark.parametrize(("change", "expected"), AUGMENTED)
@pytest.mark.parametrize("other", [2, 2.0, np.float64(2), np.array([2.0]), dg.tensor([2.0])])
def test_a_plain_tensor_is_changed_in_place(change, expected, other) -> None:
    x = dg.tensor([3.0])
    before, array = x, x.data
    x = change(x, other)
    assert x is before
    assert x.data is array
    assert array.tolist() == [expected]
    assert x.version.number == 1


@pytest.mark.parametrize(("change", "expected"), AUGMENTED)
def test_a_parameter_is_changed_in_place_under_no_grad(change, expected) -> None:
    x = dg.tensor([3.0], requires_grad=True)
    before, array = x, x.data
    with dg.no_grad():
        x = change(x, 2.0)
    assert x is before
    assert array.tolist() == [expected]
    assert x.requires_grad
    assert x.is_leaf


@pytest.mark.parametrize(("change", "expected"), AUGMENTED)
@pytest.mark.parametrize("other", [2.0, dg.tensor([2.0], requires_grad=True)])
def test_a_recorded_leaf_refuses(change, expected, other) -> None:
    x = dg.tensor([3.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"cannot be changed in place.*no_grad\(\)"):
        change(x, other)
    assert x.tolist() == [3.0]


@pytest.mark.parametrize(("change", "expected"), AUGMENTED)
def test_a_tensor_of_a_graph_moves_on_in_it(change, expected) -> None:
    leaf = dg.tensor([3.0], requires_grad=True)
    x = old = leaf * 1
    x = change(x, 2.0)
    assert x is old
    assert x.tolist() == [expected]
    x.sum().backward()
    slope = {5.0: 1, 1.0: 1, 6.0: 2, 1.5: 0.5}[expected]
    assert leaf.grad.tolist() == [slope]


@pytest.mark.parametrize(("change", "expected"), AUGMENTED)
def test_a_plain_tensor_joins_the_graph_of_the_other(change, expected) -> None:
    x, leaf = dg.tensor([3.0]), dg.tensor([2.0], requires_grad=True)
    y = change(x, leaf)
    assert y.tolist() == [expected]
    y.sum().backward()
    assert leaf.grad.item() == pytest.approx({5.0: 1, 1.0: -1, 6.0: 3, 1.5: -0.75}[expected])


def test_sum_in_a_loop() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    total = dg.tensor(0.0)
    for _ in range(3):
        total += (x * x).sum()
    total.backward()
    assert x.grad.tolist() == [6, 12]


METHODS = [
    ("zero_", (), [0, 0]),
    ("fill_", (7.0,), [7, 7]),
    ("copy_", (dg.tensor([5.0, 6.0]),), [5, 6]),
    ("copy_", (dg.tensor(5),), [5, 5]),
    ("add_", (2.0,), [3, 4]),
    ("sub_", (dg.tensor([1.0, 1.0]),), [0, 1]),
    ("mul_", (np.array([3.0, 4.0]),), [3, 8]),
    ("div_", (2.0,), [0.5, 1]),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), METHODS)
def test_methods(name, arguments, expected) -> None:
    x = dg.tensor([1.0, 2.0])
    assert getattr(x, name)(*arguments) is x
    assert x.tolist() == expected
    assert x.dtype == dg.float32
    assert x.version.number == 1
    x.requires_grad_()
    with pytest.raises(RuntimeError, match="cannot be changed in place"):
        getattr(x, name)(*arguments)
    with pytest.raises(RuntimeError, match="cannot be changed in place"):
        getattr(x.reshape(2, 1), name)(*arguments)


def test_alpha() -> None:
    x = dg.tensor([1.0, 2.0])
    x.add_(dg.tensor([1.0, 1.0]), alpha=2).sub_(1.0, alpha=0.5)
    assert x.tolist() == [2.5, 3.5]


def test_assignment_to_elements() -> None:
    x = dg.zeros(2, 3)
    x[0] = 1
    x[:, 2] = dg.tensor([5, 6])
    x[dg.tensor([1]), np.array([0])] = 9
    x[x == 1] = 4
    assert x.tolist() == [[4, 4, 5], [9, 0, 6]]
    assert x.version.number == 4
    with pytest.raises(RuntimeError, match="cannot be changed in place"):
        x.requires_grad_()[0] = 1


def test_views_share_memory_and_version() -> None:
    x = dg.zeros(2, 3)
    for view in (x[0], x[1, 2], x[1:, ::2], x.T, x.reshape(6), x.expand(4, 2, 3), x.detach()):
        assert np.shares_memory(view.data, x.data)
        assert view.version is x.version
    x[0].add_(1)
    x[1, 2] += 5  # one element: a view too
    x.T[0, 1] = 3
    assert x.tolist() == [[1, 1, 1], [3, 0, 5]]


def test_copies_have_a_version_of_their_own() -> None:
    x = dg.zeros(2, 3)
    copies = [x.clone(), x[[0, 1]], x[:, dg.tensor([0, 1])], x.T.reshape(6), x.to(dg.float64)]
    for copy in copies:
        assert not np.shares_memory(copy.data, x.data)
        assert copy.version is not x.version


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: operator.iadd(x, 0.5), "augmented assignment: the result is of type float32"),
        (lambda x: operator.itruediv(x, 2), "does not go into the tensor of type int64"),
        (lambda x: x.mul_(dg.tensor(0.5)), r"mul_\(\): the result is of type float32"),
        (lambda x: operator.iadd(x, dg.tensor([[1, 2], [3, 4]])), r"has shape \(2, 2\), but"),
        (lambda x: x[:1].add_(x), r"add_\(\): the result has shape \(2,\), but the .* \(1,\)"),
        (lambda x: x.expand(3, 2).add_(1), r"add_\(\): the memory is read-only, or several el"),
        (lambda x: (x > 1).mul_(2), "does not go into the tensor of type bool"),
    ],
)
def test_results_that_do_not_fit(change, message) -> None:
    x = dg.tensor([1, 2])
    with pytest.raises(RuntimeError, match=message):
        change(x)
    assert x.tolist() == [1, 2]
    assert x.version.number == 0


def test_operands_of_another_kind() -> None:
    x = dg.tensor([1, 2])
    with pytest.raises(TypeError, match=r"\+="):
        x += "one"
    x += True
    assert x.tolist() == [2, 3]
