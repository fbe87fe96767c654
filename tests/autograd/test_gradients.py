"""`grad`: gradients as return values."""

import pytest

import distgrad as dg
from distgrad.autograd import grad


@pytest.fixture
def x() -> dg.Tensor:
    return dg.tensor([1.0, 2.0], requires_grad=True)


def test_one_input_gives_a_tuple_of_one(x) -> None:
    result = grad((x * x).sum(), x)
    assert isinstance(result, tuple)
    assert result[0].tolist() == [2, 4]
    assert not result[0].requires_grad


def test_of_several_outputs(x) -> None:
    (g,) = grad([x.sum(), x * 3], x, [None, dg.tensor([1.0, 2.0])])
    assert g.tolist() == [4, 7]


def test_of_an_inner_tensor(x) -> None:
    hidden = x * 3
    by_hidden, by_x = grad((hidden * hidden).sum(), [hidden, x])
    assert by_hidden.tolist() == [6, 12]
    assert by_x.tolist() == [18, 36]


def test_the_graph_below_an_inner_tensor_stays_whole(x) -> None:
    hidden = x * x
    (above,) = grad((hidden * hidden).sum(), hidden)
    hidden.backward(above)
    assert x.grad.tolist() == [4, 32]


def test_of_the_output_itself(x) -> None:
    y = x.sum()
    assert grad(y, y)[0].item() == 1
    assert grad(x, x, dg.ones(2))[0].tolist() == [1, 1]


def test_only_the_part_of_the_graph_that_leads_to_the_inputs_is_walked(x) -> None:
    w = dg.ones(2, requires_grad=True)
    left, right = x * x, w * w
    grad((left + right).sum(), x)
    right.sum().backward()  # not freed, not visited
    assert w.grad.tolist() == [2, 2]


def test_results_share_no_memory(x) -> None:
    w, above = dg.ones(2, requires_grad=True), dg.ones(2)
    by_x, by_w, by_sum = grad(s := x + w, [x, w, s], above)
    by_x.zero_()
    by_sum.fill_(5)
    assert by_w.tolist() == above.tolist() == [1, 1]
    (by_x,) = grad(x.sum(), x)
    by_x.mul_(2)  # a broadcast view would be read-only
    assert by_x.tolist() == [2, 2]
    by_flat, by_x = grad((flat := (x * 1).reshape(2, 1)) * 2, [flat, x], dg.ones(2, 1))
    by_flat.zero_()
    assert by_x.tolist() == [2, 2]


def test_an_input_given_twice(x) -> None:
    first, second = grad((x * 2).sum(), [x, x])
    first.zero_()
    assert second.tolist() == [2, 2]


def test_frees_the_graph_unless_told_not_to(x) -> None:
    y = (x * x).sum()
    grad(y, x, retain_graph=True)
    grad(y, x)
    with pytest.raises(RuntimeError, match="second time"):
        grad(y, x)


def test_create_graph_keeps_the_graph_by_default(x) -> None:
    y = (x * x * x).sum()
    (first,) = grad(y, x, create_graph=True)
    assert first.requires_grad
    (again,) = grad(y, x)
    assert again.tolist() == first.tolist() == [3, 12]


def test_gradients_flow_into_the_gradient_from_above(x) -> None:
    above = dg.tensor([1.0, 2.0], requires_grad=True)
    (g,) = grad(x * x, x, above, create_graph=True)
    g.sum().backward()
    assert above.grad.tolist() == [2, 4]
    assert x.grad.tolist() == [2, 4]


def test_inside_no_grad(x) -> None:
    y = (x * x).sum()
    with dg.no_grad():
        (g,) = grad(y, x, create_graph=True)
    assert g.requires_grad


def test_unused_inputs(x) -> None:
    unused = dg.ones(1, requires_grad=True)
    with pytest.raises(RuntimeError, match="input 0 of grad"):
        grad(x.sum(), unused)
    with pytest.raises(RuntimeError, match=r"input 0 of grad\(\) does not require a gradient"):
        grad(x.sum(), dg.ones(1))
    assert grad(x.sum(), unused, allow_unused=True, create_graph=True) == (None,)


def test_mixed_partial_derivatives() -> None:
    x = dg.tensor(2.0, dtype=dg.float64, requires_grad=True)
    y = dg.tensor(3.0, dtype=dg.float64, requires_grad=True)
    (by_x,) = grad(x**3 * y**2, x, create_graph=True)
    (by_xy,) = grad(by_x, y, create_graph=True)
    (by_xyx,) = grad(by_xy, x)
    assert (by_x.item(), by_xy.item(), by_xyx.item()) == (108.0, 72.0, 72.0)
