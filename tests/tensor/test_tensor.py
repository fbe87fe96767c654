"""`Tensor` as an object: construction, its place in the graph."""

import numpy as np
import pytest

import distgrad as dg


def test_wraps_without_copying() -> None:
    array = np.ones(3)
    x = dg.Tensor(array)
    assert x.data is array
    assert x.numpy() is array
    assert dg.Tensor(x).data is array
    assert isinstance(dg.Tensor(np.float32(2)).data, np.ndarray)
    assert dg.Tensor([1, 2]).tolist() == [1, 2]


def test_properties() -> None:
    x = dg.zeros(2, 3)
    assert (x.shape, x.ndim, x.dim(), x.numel(), len(x)) == ((2, 3), 2, 2, 6, 2)
    assert x.size() == (2, 3)
    assert (x.size(0), x.size(-1)) == (2, 3)
    assert x.dtype == np.float32
    assert (x.requires_grad, x.is_leaf, x.grad_fn, x.grad) == (False, True, None, None)


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: dg.ones(3)[3], IndexError, "out of bounds"),
        (lambda: dg.ones(3)[0, 0], IndexError, "too many indices"),
        (lambda: dg.tensor([1], requires_grad=True), RuntimeError, "floating-point.*int64"),
        (lambda: dg.tensor([True]).requires_grad_(), RuntimeError, "floating-point.*bool"),
        (
            lambda: (dg.ones(1, requires_grad=True) * 2).requires_grad_(False),
            RuntimeError,
            r"use detach\(\)",
        ),
    ],
)
def test_errors(run, error, message) -> None:
    with pytest.raises(error, match=message):
        run()


def test_iteration_is_recorded() -> None:
    x = dg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = x
    (first * second).sum().backward()
    assert x.grad.tolist() == [[3, 4], [1, 2]]


def test_requires_grad_can_be_taken_back() -> None:
    x = dg.ones(1, requires_grad=True)
    x.requires_grad = False
    assert not (x * 2).requires_grad
    x.requires_grad = True
    assert (x * 2).requires_grad
    y = x * 2
    assert y.requires_grad_() is y
    assert y.grad_fn is not None


def test_clone_is_recorded_and_detach_is_not() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    (x.clone() * x.detach()).sum().backward()
    assert x.grad.tolist() == [1, 2]
