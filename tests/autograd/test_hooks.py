"""Hooks of tensors: when they are called, with what, and what they may change."""

import copy

import pytest

import distgrad as dg
from distgrad.autograd import backward_into, grad


def leaf(*values: float) -> dg.Tensor:
    return dg.tensor(list(values), dtype=dg.float64, requires_grad=True)


def test_a_hook_sees_the_whole_gradient_once() -> None:
    x = leaf(1.0, 2.0)
    seen: list[list[float]] = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    y = x * 2
    y.register_hook(lambda g: seen.append(g.tolist()))
    (y.sum() + (y * 3).sum() + x.sum()).backward()
    assert seen == [[4, 4], [9, 9]]
    assert x.grad.tolist() == [9, 9]


def test_what_a_hook_returns_goes_on() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: -g)
    y.sum().backward()
    assert y.grad.tolist() == [11, 11]
    assert x.grad.tolist() == [-22, -22]
    assert y.retains_grad
    assert not x.retains_grad


def test_hooks_in_grad_and_of_its_inputs() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    z = y.sum()
    assert [g.tolist() for g in grad(z, [x, y], retain_graph=True)] == [[21, 21], [10, 10]]
    assert grad(z, x)[0].tolist() == [21, 21]


def test_hooks_under_create_graph_are_recorded() -> None:
    x = leaf(2.0)
    y = x**3
    y.register_hook(lambda g: g * x)
    (slope,) = grad(y.sum(), x, create_graph=True)
    assert slope.tolist() == [3 * 2.0**3]
    assert grad(slope.sum(), x)[0].tolist() == [9 * 2.0**2]


def test_gradients_given_to_hooks_are_not_recorded_otherwise() -> None:
    x = leaf(2.0)
    seen = []
    x.register_hook(lambda g: seen.append((g * x).requires_grad))
    (x * x).sum().backward()
    assert seen == [False]


def test_the_gradient_of_a_hook_keeps_its_type() -> None:
    x = leaf(2.0)
    x.register_hook(lambda g: g.to(dg.float32))
    (x * x).sum().backward()
    assert x.grad.dtype == dg.float64


def test_handles_remove_hooks() -> None:
    x = leaf(2.0)
    handle = x.register_hook(lambda g: g * 10)
    with x.register_hook(lambda g: g + 1):
        assert grad(x.sum(), x)[0].item() == 11
    assert grad(x.sum(), x)[0].item() == 10
    handle.remove()
    handle.remove()
    assert grad(x.sum(), x)[0].item() == 1


def test_a_hook_that_removes_itself() -> None:
    x = leaf(2.0)
    calls = []

    def once(gradient: dg.Tensor) -> None:
        calls.append(1)
        handle.remove()

    handle = x.register_hook(once)
    x.register_hook(lambda g: calls.append(2))
    for _ in range(2):
        x.sum().backward()
    assert calls == [1, 2, 2]


@pytest.mark.parametrize(
    ("hook", "error", "message"),
    [
        (lambda g: 1.0, TypeError, "returns a Tensor .* or None, got float"),
        (lambda g: g[:1], RuntimeError, r"shape \(1,\) in place of one of shape \(2,\)"),
    ],
)
def test_returns_that_are_refused(hook, error, message) -> None:
    x = leaf(1.0, 2.0)
    x.register_hook(hook)
    with pytest.raises(error, match=message):
        x.sum().backward()


@pytest.mark.parametrize("call", ["register_hook", "register_post_accumulate_grad_hook"])
def test_a_tensor_without_gradient_has_no_hooks(call) -> None:
    with pytest.raises(RuntimeError, match=rf"{call}\(\) needs a tensor that requires a gradient"):
        getattr(dg.ones(1), call)(print)
    with pytest.raises(RuntimeError, match=r"retain_grad\(\) needs a tensor that requires"):
        dg.ones(1).retain_grad()


def test_after_accumulation() -> None:
    x = leaf(1.0, 2.0)
    seen: list[list[float]] = []
    handle = x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
    for _ in range(2):
        (x.sum() + (x * 2).sum()).backward()
    assert seen == [[3, 3], [6, 6]]
    grad(x.sum(), x)
    backward_into(x.sum(), lambda tensor, gradient: None)
    (x * x).sum().backward(create_graph=True)
    assert len(seen) == 3
    handle.remove()
    x.sum().backward()
    assert len(seen) == 3
    with pytest.raises(RuntimeError, match="needs a leaf: other tensors accumulate no"):
        (x * 1).register_post_accumulate_grad_hook(print)


def test_an_optimizer_in_the_backward_pass() -> None:
    model = dg.nn.Sequential(dg.nn.Linear(3, 4), dg.nn.Tanh(), dg.nn.Linear(4, 1))
    other = copy.deepcopy(model)
    steps = {p: dg.optim.SGD([p], lr=0.1) for p in model.parameters()}

    def step(parameter: dg.Tensor) -> None:
        steps[parameter].step()
        steps[parameter].zero_grad()

    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(step)
    optimizer = dg.optim.SGD(other.parameters(), lr=0.1)
    for _ in range(3):
        x = dg.randn(5, 3)
        model(x).sum().backward()
        optimizer.zero_grad()
        other(x).sum().backward()
        optimizer.step()
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert p.grad is None
        assert p.tolist() == q.tolist()


def test_hooks_of_leaves_are_called_in_the_order_of_creation() -> None:
    leaves = [leaf(float(i)) for i in range(5)]
    seen: list[int] = []
    for i, x in enumerate(leaves):
        x.register_hook(lambda g, i=i: seen.append(i))
    sum((x for x in reversed(leaves)), start=dg.zeros(1)).sum().backward()
    assert seen == [0, 1, 2, 3, 4]


def test_a_leaf_that_nobody_holds_any_more() -> None:
    x = leaf(1.0)
    y = leaf(2.0) * x  # the other factor exists in the graph only
    y.sum().backward()
    assert x.grad.tolist() == [2]


def test_a_tensor_that_starts_and_stops_asking() -> None:
    x = dg.ones(2)
    x.requires_grad_()
    node = x.node
    assert x.requires_grad_().node is node
    assert x.is_leaf
    assert x.grad_fn is None
    x.requires_grad = False
    assert not (x * 2).requires_grad
    with pytest.raises(RuntimeError, match=r"only a leaf can stop .* use detach\(\)"):
        (leaf(1.0) * 2).requires_grad_(False)


def test_hooks_stay_while_a_leaf_is_frozen() -> None:
    x = leaf(1.0, 2.0)
    seen: list[list[float]] = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
    y = (x * 2).sum()
    x.requires_grad_(False)
    assert not (x * 2).requires_grad
    x.requires_grad_(True)
    assert grad(y, x, retain_graph=True)[0].tolist() == [2, 2]
    y.backward()
    assert seen == [[2, 2]] * 3


def test_a_leaf_that_was_frozen_since_gets_no_gradient() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = (x * w).sum()
    x.requires_grad_(False)
    y.backward()
    assert x.grad is None
    assert w.grad.tolist() == [1, 2]


def test_retained_gradients_of_grad_and_of_backward_into() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    grad((y * y).sum(), x, retain_graph=True)
    assert y.grad.tolist() == [4, 8]
    leaves = []
    backward_into((y * y).sum(), lambda tensor, gradient: leaves.append(tensor is x))
    assert leaves == [True]
    assert y.grad.tolist() == [8, 16]
    assert x.grad is None
