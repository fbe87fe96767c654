"""`Tensor` as an object: construction, the ways out of the engine, printing, being a container."""

import copy
import pickle

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
    ("tensor", "text"),
    [
        (dg.tensor([1.0, 2.5]), "tensor([1. , 2.5])"),
        (dg.tensor(3), "tensor(3)"),
        (dg.tensor([True]), "tensor([ True])"),
        (dg.tensor([1.0], dtype=dg.float64), "tensor([1.], dtype=float64)"),
        (dg.tensor([1], dtype=dg.int32), "tensor([1], dtype=int32)"),
        (dg.tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
        (dg.ones(1, requires_grad=True) * 2, "tensor([2.], grad_fn=<multiply>)"),
        (dg.tensor([[1, 2], [3, 4]]), "tensor([[1, 2],\n        [3, 4]])"),
        (dg.zeros(0), "tensor([])"),
    ],
)
def test_repr(tensor, text) -> None:
    assert repr(tensor) == text


def test_format() -> None:
    assert f"{dg.tensor(1.25):.1f}" == "1.2"
    assert f"{dg.tensor([1.0])}" == "tensor([1.])"


def test_numbers() -> None:
    x = dg.tensor([[2.5]])
    assert (x.item(), float(x), int(x), bool(x)) == (2.5, 2.5, 2, True)
    assert isinstance(x.item(), float)
    assert not dg.tensor(0.0)
    assert list(range(5))[dg.tensor(3)] == 3


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: dg.ones(2).item(), ValueError, "size 1"),
        (lambda: bool(dg.ones(2)), RuntimeError, r"2 elements is ambiguous; use \.any\(\)"),
        (lambda: bool(dg.ones(0)), RuntimeError, "0 elements is ambiguous"),
        (lambda: len(dg.tensor(1.0)), TypeError, "0-d"),
        (lambda: list(dg.tensor(1.0)), TypeError, "0-d"),
        (lambda: [1, 2][dg.tensor(1.0)], TypeError, "integer tensor.*float32"),
        (lambda: dg.ones(3)[3], IndexError, "out of bounds"),
        (lambda: dg.ones(3)[0, 0], IndexError, "too many indices"),
        (lambda: dg.ones(2, requires_grad=True).numpy(), RuntimeError, r"detach\(\)\.numpy\(\)"),
        (lambda: np.asarray(dg.ones(2, requires_grad=True)), RuntimeError, "detach"),
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


def test_into_numpy() -> None:
    x = dg.tensor([1.0, 2.0])
    np.testing.assert_array_equal(np.asarray(x), [1, 2])
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert np.sum(x.data) == 3
    assert x.detach().numpy() is x.data


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


def test_conversion_to_integers_leaves_the_graph() -> None:
    x = dg.tensor([1.7], requires_grad=True)
    assert not x.to(dg.int64).requires_grad
    assert x.to(dg.float32) is x
    assert x.astype(dg.float64).requires_grad
    assert x.to("float64").dtype == np.float64


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_of_leaves(clone) -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    x.sum().backward()
    y = clone(x)
    assert y.requires_grad
    assert y.is_leaf
    assert y.grad.tolist() == [1, 1]
    with dg.no_grad():
        y.zero_()
    assert x.tolist() == [1, 2]
    assert x.version.number == 0


def test_clone_is_recorded_and_detach_is_not() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    (x.clone() * x.detach()).sum().backward()
    assert x.grad.tolist() == [1, 2]
