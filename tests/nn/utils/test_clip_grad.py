import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import distgrad as dg
from distgrad import nn
from distgrad.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    combine_power_sums,
    get_total_norm,
    power_sums,
)

ORDERS = [0.5, 1.0, 2.0, 3.0, math.inf]


def with_gradients(arrays):
    parameters = [nn.Parameter(np.zeros_like(array)) for array in arrays]
    for parameter, array in zip(parameters, arrays, strict=True):
        parameter.grad = dg.Tensor(array.copy())
    return parameters


def some_arrays(dtype=np.float32):
    generator = np.random.default_rng(0)
    return [generator.standard_normal(s).astype(dtype) for s in [(200, 400), (5,), (), (0, 3)]]


@pytest.mark.parametrize("order", ORDERS)
def test_the_norm_is_that_of_one_vector(order):
    arrays = some_arrays()
    norm = clip_grad_norm_(with_gradients(arrays), 1e9, norm_type=order)
    flat = np.concatenate([a.reshape(-1) for a in arrays]).astype(np.float64)
    assert norm.item() == pytest.approx(np.linalg.norm(flat, order), rel=1e-12)
    assert norm.dtype == np.float64


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("max_norm", [0.5, 1e9])
def test_clipping_is_torchs(order, max_norm):
    torch = pytest.importorskip("torch")
    arrays = some_arrays(np.float64)
    ours = with_gradients(arrays)
    theirs = [torch.nn.Parameter(torch.zeros(a.shape, dtype=torch.float64)) for a in arrays]
    for parameter, array in zip(theirs, arrays, strict=True):
        parameter.grad = torch.tensor(array)
    norm = clip_grad_norm_(ours, max_norm, order)
    expected = torch.nn.utils.clip_grad_norm_(
        [p for p in theirs if p.numel()], max_norm, order
    )  # torch has no infinity norm of nothing
    assert norm.item() == pytest.approx(expected.item(), rel=1e-12)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=1e-12)


def test_gradients_below_the_limit_keep_their_bits():
    arrays = some_arrays()
    parameters = with_gradients(arrays)
    clip_grad_norm_(parameters, 1e9)
    for parameter, array in zip(parameters, arrays, strict=True):
        np.testing.assert_array_equal(parameter.grad.data, array)


def test_clipping_is_in_place_and_announced():
    (parameter,) = with_gradients([np.array([3.0, 4.0])])
    gradient, array = parameter.grad, parameter.grad.data
    clip_grad_norm_(parameter, 1.0)
    assert parameter.grad is gradient
    assert gradient.data is array
    assert gradient.version.number == 1
    np.testing.assert_allclose(array, [0.6, 0.8], rtol=1e-6)


def test_parameters_without_gradients_are_left_out():
    assert clip_grad_norm_([], 1.0).item() == 0.0
    assert clip_grad_norm_([nn.Parameter(dg.ones(2))], 1.0).item() == 0.0
    assert clip_grad_norm_(iter([nn.Parameter(dg.ones(2))]), 1.0, math.inf).item() == 0.0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 90_000), max_size=4), st.integers(0, 2**32 - 1))
def test_the_bits_do_not_depend_on_where_the_gradients_lie(sizes, seed):
    generator = np.random.default_rng(seed)
    arrays = [generator.standard_normal(size).astype(np.float32) for size in sizes]
    elsewhere = np.empty(sum(sizes) + 3, np.float32)[3:]
    views = np.split(elsewhere, np.cumsum(sizes)[:-1]) if sizes else []
    for view, array in zip(views, arrays, strict=True):
        view[...] = array
    everything = power_sums(arrays)
    assert power_sums(views) == everything
    piecewise = [
        s
        for a in arrays
        for i in range(0, a.size, 65_536)
        for s in power_sums([a[i : i + 65_536].copy()])
    ]
    assert piecewise == everything
    assert combine_power_sums(reversed(everything)) == combine_power_sums(everything)


def test_gradients_of_any_strides_give_the_same_norm():
    array = some_arrays()[0]
    assert power_sums([np.asfortranarray(array)]) == power_sums([array])
    assert power_sums([array[::-1][::-1]]) == power_sums([array])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_norm_that_is_not_finite(bad):
    (parameter,) = with_gradients([np.array([1.0, bad])])
    with pytest.raises(RuntimeError, match=f"order 2.0 is {bad}, so the gradients cannot be clip"):
        clip_grad_norm_(parameter, 1.0, error_if_nonfinite=True)
    assert parameter.grad.data[0] == 1.0
    clip_grad_norm_(parameter, 1.0)
    assert np.isnan(parameter.grad.data[1])


def test_a_norm_beyond_the_largest_number_is_infinite():
    assert combine_power_sums([1.7e308, 1.7e308]) == math.inf
    assert get_total_norm([dg.tensor([1e200], dtype=np.float64)]).item() == math.inf


def test_an_order_that_is_no_norm_is_refused():
    with pytest.raises(ValueError, match="norm_type must be above 0, got 0"):
        clip_grad_norm_(with_gradients([np.ones(2)]), 1.0, norm_type=0)


def test_an_order_may_be_a_word():
    tensors = [dg.tensor([3.0, -4.0])]
    assert get_total_norm(tensors, "inf").item() == 4.0


def test_scaling_by_a_norm_known_already():
    (parameter,) = with_gradients([np.array([3.0, 4.0])])
    clip_grads_with_norm_(parameter, 1.0, 10.0 - 1e-6)
    np.testing.assert_allclose(parameter.grad.data, [0.3, 0.4], rtol=1e-15)


def test_clipping_by_value():
    parameters = with_gradients([np.array([-3.0, 0.5, 2.0]), np.array(9.0)])
    parameters.append(nn.Parameter(dg.ones(1)))
    clip_grad_value_(parameters, 1.5)
    assert parameters[0].grad.tolist() == [-1.5, 0.5, 1.5]
    assert parameters[1].grad.item() == 1.5
    assert parameters[0].grad.version.number == 1
