"""Functions that are several in one: values, gradients and bits of these one after another."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn

BOTH: tuple[Callable[..., Any], ...] = (F.linear_relu, lambda *args: F.relu(F.linear(*args)))


def leaf(*shape: int, dtype: Any = np.float32, seed: int = 0) -> dg.Tensor:
    values = np.random.default_rng([seed, *shape]).standard_normal(shape)
    return dg.Tensor(values.astype(dtype), requires_grad=True)


def value_and_gradients(function: Any, inputs: Any) -> list[np.ndarray]:
    y = function(*inputs)
    above = np.random.default_rng(1).standard_normal(y.shape).astype(y.dtype)
    wanted = [x for x in inputs if x is not None]
    return [y.data, *(g.data for g in dg.autograd.grad(y, wanted, dg.Tensor(above)))]


@given(
    rows=st.integers(1, 70),
    width=st.integers(1, 40),
    outputs=st.integers(1, 70),
    batch=st.sampled_from([(), (2,)]),
    bias=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64, np.float16]),
)
def test_the_bits_are_those_of_a_map_and_an_activation(
    rows: int, width: int, outputs: int, batch: Any, bias: bool, dtype: Any
) -> None:
    x, weight = leaf(*batch, rows, width, dtype=dtype), leaf(outputs, width, dtype=dtype)
    inputs = x, weight, leaf(outputs, dtype=dtype) if bias else None
    ours, plain = (value_and_gradients(function, inputs) for function in BOTH)
    for a, b in zip(ours, plain, strict=True):
        assert a.dtype == b.dtype == dtype
        np.testing.assert_array_equal(a, b)


def test_the_bits_of_many_rows() -> None:
    inputs = leaf(4, 300, 7), leaf(129, 7), leaf(129)
    ours, plain = (value_and_gradients(function, inputs) for function in BOTH)
    for a, b in zip(ours, plain, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("bias", [True, False])
def test_gradients_of_every_order(bias: bool) -> None:
    shapes = (3, 4), (5, 4), *([(5,)] if bias else [])
    inputs = [leaf(*shape, dtype=np.float64, seed=7) for shape in shapes]
    assert dg.autograd.gradcheck(F.linear_relu, inputs)
    assert dg.autograd.gradgradcheck(F.linear_relu, inputs)


def test_an_input_that_wants_no_gradient_gets_none() -> None:
    x, weight, bias = leaf(3, 4), leaf(5, 4), leaf(5)
    for wanted in (x, weight, bias):
        for tensor in (x, weight, bias):
            tensor.requires_grad_(tensor is wanted)
            tensor.grad = None
        together = [f(x, weight, bias).sum() for f in BOTH]
        (ours,), (plain,) = (dg.autograd.grad(y, wanted) for y in together)
        np.testing.assert_array_equal(ours.data, plain.data)


def test_what_does_not_fit_is_told_by_the_function_that_was_called() -> None:
    x, weight = dg.ones(2, 3), dg.ones(4, 3)
    with pytest.raises(ValueError, match=r"linear_relu: weight must have shape \(out, in\) and"):
        F.linear_relu(x, weight, dg.ones(3))
    with pytest.raises(ValueError, match="linear_relu: the input's last axis must have length 3"):
        F.linear_relu(x.T, weight)
    with pytest.raises(RuntimeError, match="linear_relu: input, weight and bias must have one da"):
        F.linear_relu(x.double(), weight)


def test_rectified_integers() -> None:
    x = dg.tensor([[1, -2]])
    assert F.linear_relu(x, dg.tensor([[1, 1], [3, 1]]), dg.tensor([0, 1])).tolist() == [[0, 2]]


def test_what_is_no_number_stays_none() -> None:
    x, weight = dg.tensor([[np.nan], [np.inf]], requires_grad=True), dg.tensor([[1.0]])
    y = F.linear_relu(x, weight, dg.zeros(1))
    assert np.isnan(y.data[0, 0])
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_the_bits_of_a_sum_with_dropout(p: float, dtype: Any) -> None:
    inputs = leaf(5, 33, dtype=dtype), leaf(5, 33, dtype=dtype, seed=1)

    def plain(x: dg.Tensor, residual: dg.Tensor) -> dg.Tensor:
        return residual + F.dropout(x, p)

    results = []
    for function in (lambda x, residual: F.dropout_add(x, residual, p), plain):
        with dg.autograd.random_scope(5, step=2, micro_batch=1):
            results.append(value_and_gradients(function, inputs))
    for ours, theirs in zip(*results, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_array_equal(ours, theirs)
    still = F.dropout_add(*inputs, p, training=False)
    np.testing.assert_array_equal(still.data, inputs[0].data + inputs[1].data)


def test_gradients_of_a_sum_with_dropout() -> None:
    def function(x: dg.Tensor, residual: dg.Tensor) -> dg.Tensor:
        with dg.autograd.random_scope(3):
            return F.dropout_add(x, residual, 0.4) ** 2

    inputs = [leaf(4, 5, dtype=np.float64), leaf(4, 5, dtype=np.float64, seed=1)]
    assert dg.autograd.gradcheck(function, inputs)
    assert dg.autograd.gradgradcheck(function, inputs)


def test_what_a_sum_with_dropout_refuses() -> None:
    x = dg.ones(2, 3)
    with pytest.raises(ValueError, match=r"dropout_add: input and residual must have one shape"):
        F.dropout_add(x, dg.ones(3))
    with pytest.raises(RuntimeError, match="dropout_add: input and residual must have one data"):
        F.dropout_add(x, x.double())
    with pytest.raises(ValueError, match=r"dropout_add: p must be from 0 to 1, got 1\.5"):
        F.dropout_add(x, x, 1.5)
    with pytest.raises(TypeError, match="dropout_add: the input must be of floating-point type"):
        F.dropout_add(x.long(), x.long())
    with pytest.raises(ValueError, match="dropout probability has to be between 0 and 1"):
        nn.DropoutAdd(2.0)


@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_begins_and_computes_as_the_two_that_it_is(bias: bool) -> None:
    dg.manual_seed(0)
    together = nn.LinearReLU(7, 5, bias=bias)
    dg.manual_seed(0)
    plain = nn.Linear(7, 5, bias=bias)
    assert isinstance(together, nn.Linear)
    assert together.state_dict().keys() == plain.state_dict().keys()
    x = leaf(3, 7)
    np.testing.assert_array_equal(together(x).data, nn.ReLU()(plain(x)).data)


def test_how_layers_show_themselves() -> None:
    shown = "in_features=3, out_features=2, bias=True"
    assert repr(nn.LinearReLU(3, 2)) == f"LinearReLU({shown})"
    assert repr(nn.DropoutAdd(0.1)) == "DropoutAdd(p=0.1)"
