"""Views, detached tensors and leaves in memory that changes in place: which gradient is whose."""

import pytest

import distgrad as dg


def test_detached_tensors_stay_outside_the_graph() -> None:
    x, w = dg.ones(2, requires_grad=True), dg.ones(2, requires_grad=True)
    y = x * 2
    row, detached = y[0], y.detach()
    inner = detached[0]
    y.mul_(3)
    assert inner.item() == 6
    assert not inner.requires_grad
    detached.mul_(w)
    assert inner.requires_grad
    row.backward()
    assert x.grad.tolist() == [6, 0]
    assert w.grad is None


def test_a_retained_gradient_is_that_of_the_last_value() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    row = y[1]
    seen: list[list[float]] = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    for tensor in (y, row):
        tensor.retain_grad()
    y.mul_(3)
    assert y.retains_grad
    assert row.retains_grad
    (row * row).backward()
    assert row.grad.item() == 24
    assert y.grad.tolist() == [0, 24]
    assert seen == [[0, 72]]  # a hook stays with the value that it was registered for


def test_the_gradient_of_a_changed_view_is_its_own() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    row = y[0]
    row.mul_(3)
    row.retain_grad()
    loss = row * 5 + y.sum() * 7
    assert dg.autograd.grad(loss, row, retain_graph=True)[0].item() == 5
    loss.backward()
    assert row.grad.item() == 10
    assert x.grad.tolist() == [36, 7]


@pytest.mark.parametrize("part", [lambda leaf: leaf, lambda leaf: leaf[:1]])
def test_a_leaf_that_is_a_view_is_refused_too(part) -> None:
    flat = dg.zeros(2, 3)
    leaf = flat[0].requires_grad_()
    changed = part(leaf)
    with pytest.raises(RuntimeError, match="a leaf that requires a gradient, or a view of it"):
        changed.add_(1)
    assert leaf.is_leaf
    with dg.no_grad():
        changed.add_(1)
    assert flat[0, 0].item() == 1


def test_a_change_without_gradient_gives_zeros() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    for index in (..., 0):
        y = x * 2
        changed = y[index]
        changed.eq_(2.0)
        assert changed.requires_grad
        changed.mul_(3)
        (gradient,) = dg.autograd.grad((y + x).sum(), x)
        assert gradient.tolist() == ([1, 1] if index is ... else [1, 3])


def test_keyword_arguments_that_are_the_tensor_itself() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    y.addcmul_(tensor1=y, tensor2=y)
    y.sum().backward()
    assert x.grad.tolist() == [3, 5]


def test_gradients_that_are_single_numbers() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x.dot(x)
    y[...] *= 3.0
    z = y.reshape(1)
    z[0] *= x[0]
    z.sum().backward()
    assert x.grad.tolist() == [21, 12]


def test_elements_that_share_a_place() -> None:
    x = dg.zeros(4)
    with pytest.raises(RuntimeError, match="several elements are the same place"):
        x.unfold(0, 2, 1).add_(1)
    x.unfold(0, 2, 2).add_(1)
    x.expand(1, 4).add_(1)
    x.expand(4).add_(1)
    assert x.tolist() == [3, 3, 3, 3]
